"""Everything that training changes, in one place, so that a checkpoint is this and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from prnn_cli.networks.network import Network
from prnn_cli.system.distributed import process_group
from prnn_cli.training.optim import LearningSettings, ParameterState

TENSOR_GROUPS = ("parameters", "accumulators", "velocities", "counts", "carry", "tally")  # of a TrainState


@dataclass
class Cursor:
    """Where training stands: the next step to take, of an epoch of a phase. All three count from 0."""

    phase: int = 0
    epoch: int = 0
    step: int = 0


@dataclass(frozen=True)
class EpochRecord:
    """What an epoch came to: a row of epochs.csv.

    phase, epoch: from 1; learning: the subnets that learned, joined by +; loss: mean over the events; saturated: share
    of the scores beyond ±0.999; steps: of the plan, those too that could not update; measured: metrics on the
    validation part
    """

    phase: int
    epoch: int
    learning: str
    loss: float
    saturated: float
    events: int
    seconds: float
    events_per_s: float
    steps: int
    measured: dict[str, float] = field(default_factory=dict)


@dataclass
class TrainState:
    """What a step reads and changes, and where training stands: all that a checkpoint keeps.

    Steps change its tensors in place and never replace one, as compiled and captured steps hold on to them.
    epoch_seconds: that the running epoch has taken; history: the finished epochs
    """

    parameters: dict[str, Tensor]
    accumulators: dict[str, Tensor]  # by parameter
    velocities: dict[str, Tensor]  # by parameter, of those with momentum, or Adam's
    carry: dict[str, Tensor]  # by subnet, (B, H)
    tally: dict[str, Tensor]  # sums of the running epoch, on the device, so that no step waits for it
    counts: dict[str, Tensor] = field(default_factory=dict)  # by parameter, the steps that Adam took
    cursor: Cursor = field(default_factory=Cursor)
    epoch_seconds: float = 0.0
    history: list[EpochRecord] = field(default_factory=list)

    @classmethod
    def initial(
        cls,
        network: Network,
        settings: dict[str, LearningSettings],
        num_slots: int,
        seed: int,
        device: torch.device,
    ) -> "TrainState":
        """The state before the first step. The same seed gives the same parameters on every device."""
        parameters = network.initial_parameters(seed)
        parameters = {name: value.to(device) for name, value in parameters.items()}
        begun = initial_states(network, parameters, settings)
        return cls(
            parameters=parameters,
            accumulators={name: each.accumulator for name, each in begun.items()},
            velocities={name: each.velocity for name, each in begun.items() if each.velocity is not None},
            carry=network.initial_carry(num_slots, device),
            tally=empty_tally(device),
            counts={name: each.count for name, each in begun.items() if each.count is not None},
        )

    def all_gathered(self) -> "TrainState":
        """The state with the carried state of all slots, where each process has that of its own."""
        group = process_group()
        if group.world_size == 1:
            return self
        return replace(self, carry={name: group.all_gather_shards(each) for name, each in self.carry.items()})

    def sharded(self) -> "TrainState":
        """The state with the carried state of this process's slots; undoes `all_gathered`."""
        group = process_group()
        return replace(self, carry={name: group.shard(each) for name, each in self.carry.items()})

    @property
    def is_begun(self) -> bool:
        """Whether any step has been taken."""
        return bool(self.history) or self.cursor != Cursor()

    @property
    def device(self) -> torch.device:
        return self.tally["loss"].device

    def end_epoch(self, record: EpochRecord, is_last: bool) -> None:
        """Adds the epoch's record to the history, begins a new tally, and moves the cursor to the next epoch, which is
        the first one of the next phase where the epoch was the `is_last` one of its phase."""
        self.history.append(record)
        phase, epoch = self.cursor.phase, self.cursor.epoch
        self.cursor = Cursor(phase + 1) if is_last else Cursor(phase, epoch + 1)
        for name, value in empty_tally(self.device).items():
            self.tally[name].copy_(value)
        self.epoch_seconds = 0.0

    def take(self, other: "TrainState") -> None:
        """Takes over the tensors of a state of the same network; history and cursor stay."""
        for group in TENSOR_GROUPS:
            for name, value in getattr(self, group).items():
                value.copy_(getattr(other, group)[name])

    def not_finite(self) -> str | None:
        """The first parameter that holds NaN or infinity: a step's loss is that before its update, so the last
        update shows in the parameters alone."""
        bad = (name for name, value in self.parameters.items() if not torch.isfinite(value).all())
        return next(bad, None)

    def parameter_state(self, parameter: str) -> ParameterState:
        """A parameter with the optimiser's memory of it."""
        return ParameterState(
            self.parameters[parameter],
            self.accumulators[parameter],
            self.velocities.get(parameter),
            self.counts.get(parameter),
        )

    def totals(self) -> dict[str, float]:
        """The sums over the finished epochs: events, steps, seconds, and events and steps a second."""
        events = sum(record.events for record in self.history)
        steps = sum(record.steps for record in self.history)
        seconds = sum(record.seconds for record in self.history)
        rates = {"events_per_s": events / max(seconds, 1e-9), "steps_per_s": steps / max(seconds, 1e-9)}
        return {"events": events, "steps": steps, "seconds": seconds} | rates


def initial_states(
    network: Network, parameters: Mapping[str, Tensor], settings: Mapping[str, LearningSettings]
) -> dict[str, ParameterState]:
    """The parameters, by name, with the optimiser's memory before the first step."""
    return {
        name: ParameterState.initial(
            value, settings[network.learning_group(name)], name in network.row_tables
        )
        for name, value in parameters.items()
    }


def empty_tally(device: torch.device) -> dict[str, Tensor]:
    """The tally of an epoch without any step.

    loss: sum over events; saturated: number of scores with |score| > 0.999; first_bad_step: the first step whose
    loss was not finite, else the largest integer; steps: those taken
    """
    return {
        "steps": torch.zeros((), dtype=torch.int64, device=device),
        "loss": torch.zeros((), dtype=torch.float64, device=device),
        "saturated": torch.zeros((), dtype=torch.int64, device=device),
        "first_bad_step": torch.full((), torch.iinfo(torch.int64).max, device=device),
    }
