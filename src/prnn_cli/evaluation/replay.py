"""The evaluator of networks and baselines: walks sessions event by event and ranks each next event.

Shapes: T steps, B slots, E predicted events, n of them in T steps.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from torch import Tensor

from prnn_cli.batching import SessionParallelPlan, StepInputs
from prnn_cli.data.sessions import Sessions
from prnn_cli.errors import RunError
from prnn_cli.evaluation.candidates import Candidates
from prnn_cli.evaluation.ranking import Ranks, count_better_and_equal, joined
from prnn_cli.evaluation.shortcuts import ConstantCounter, SparseCounter
from prnn_cli.evaluation.tiles import LogitScorer, TileCounter, workers_of_one_thread
from prnn_cli.schema import EvaluationConfig
from prnn_cli.scoring import ConstantScorer, Scorer, SparseScorer
from prnn_cli.system.distributed import process_group
from prnn_cli.system.progress import meter

MAX_SLOTS = {"cpu": 128, "cuda": 1024}  # a CPU was no faster with more; a GPU waits for launches with fewer
MAX_SCORES = {"cpu": 2**24, "cuda": 2**26}  # at a time: 64 MB, 256 MB
STEPS_A_TICK = 64  # counts are read from the device once a tick, as each read waits for the device


def evaluate(
    scorer: Scorer,
    sessions: Sessions,
    support: np.ndarray,
    config: EvaluationConfig,
    device: torch.device | str = "cpu",
) -> Ranks:
    """The ranks against the configured candidates; support: (num_items,) training events of each item."""
    return replay(scorer, sessions, Candidates.choose(config.candidates, support, device), device)


def evaluate_sharded(
    scorer: Scorer,
    sessions: Sessions,
    support: np.ndarray,
    config: EvaluationConfig,
    device: torch.device | str = "cpu",
) -> Ranks:
    """The ranks of `evaluate`, to which each process of a run adds those of its share of the sessions."""
    group = process_group()
    own = sessions.shards(group.world_size)[group.rank]
    return joined(group.all_gather(evaluate(scorer, own, support, config, device)))


def replay(
    scorer: Scorer,
    sessions: Sessions,
    candidates: Candidates,
    device: torch.device | str = "cpu",
    num_slots: int | None = None,
) -> Ranks:
    """The ranks of the events that `sessions` rank, by the scores after the event before each.

    The number of slots changes speed and memory, not ranks; None chooses it. Raises `RunError` at a NaN score.
    """
    kind = torch.device(device).type
    make = SessionParallelPlan.of_like_lengths if sessions.ranks_last_only else SessionParallelPlan.build
    plan = make(
        sessions, num_slots or choose_num_slots(sessions, _scores_held(scorer, candidates, kind), kind)
    )
    is_ranked = sessions.is_ranked
    better, equal = np.zeros((2, sessions.num_events), dtype=np.int32)
    scorer.reset(plan.num_slots)
    with (
        _walker(scorer, candidates, kind) as walk,
        meter(f"ranking with {scorer.name}", sessions.num_ranked) as progress,
        torch.no_grad(),
    ):
        for start in range(0, plan.num_steps, STEPS_A_TICK):
            positions = plan.positions[start : start + STEPS_A_TICK]
            ranked = (positions >= 0) & is_ranked[positions + 1]
            predicted = positions[ranked] + 1
            better[predicted], equal[predicted] = walk(
                plan.steps(start, start + STEPS_A_TICK, device),
                ranked,
                lambda number: progress.advance("events", number),
            )
            _refuse_nan(scorer, sessions, predicted[better[predicted] < 0])
    return _ranks(sessions, better, equal)


# Takes T steps, and counts the better and the equal candidates, (2, n), where `ranked` (T, B) says so; tells every so
# often of how many more events.
Walk = Callable[[StepInputs, np.ndarray, Callable[[int], None]], np.ndarray]
# Targets (B,) -> the better and the equal candidates, (B,) each.
Count = Callable[[Tensor], tuple[Tensor, Tensor]]


@contextmanager
def _walker(scorer: Scorer, candidates: Candidates, kind: str) -> Iterator[Walk]:
    """How steps are taken and candidates counted: by all scores where neither tiles of logits nor a shortcut do."""
    if isinstance(scorer, LogitScorer) and kind == "cpu":
        with workers_of_one_thread() as workers:
            yield partial(_walk_by_tick, scorer, TileCounter(scorer, candidates, workers))
        return
    if isinstance(scorer, SparseScorer):
        yield partial(_walk_by_step, scorer, SparseCounter(scorer, candidates))
        return
    if isinstance(scorer, ConstantScorer):
        yield partial(_walk_by_step, scorer, ConstantCounter(scorer, candidates))
        return

    def count(targets: Tensor) -> tuple[Tensor, Tensor]:
        # No name holds the scores, so that they are freed before the next ones are made.
        return count_better_and_equal(
            *_scores(scorer, candidates, targets), num_candidates=candidates.num_candidates
        )

    yield partial(_walk_by_step, scorer, count)


def _scores_held(scorer: Scorer, candidates: Candidates, kind: str) -> int:
    """The scores of a slot that are in memory at once, by what `_walker` does."""
    in_tiles = isinstance(scorer, LogitScorer) and kind == "cpu"
    in_short = isinstance(scorer, SparseScorer | ConstantScorer)
    return 1 if in_tiles or in_short else candidates.num_candidates


def _walk_by_step(
    scorer: Scorer, count: Count, inputs: StepInputs, ranked: np.ndarray, report: Callable[[int], None]
) -> np.ndarray:
    """A `Walk` that counts after each step that ranks any slot, for all slots at once."""
    counts, counted = [], ranked.any(axis=1)
    steps = zip(inputs.input_items, inputs.target_items, inputs.new_session, ranked.sum(axis=1), strict=True)
    for items, targets, new_session, num_ranked in steps:
        scorer.advance(items, new_session)
        if num_ranked:
            counts.append(torch.stack(count(targets)))
            report(int(num_ranked))
    found = torch.stack(counts, dim=1).cpu().numpy() if counts else np.zeros((2, 0, ranked.shape[1]))
    return found[:, ranked[counted]]


def _walk_by_tick(
    scorer: Scorer, count: TileCounter, inputs: StepInputs, ranked: np.ndarray, report: Callable[[int], None]
) -> np.ndarray:
    """A `Walk` that counts after all T steps, so that few slots need as few products as many."""
    is_ranked, states = torch.from_numpy(ranked), []
    for items, new_session, chosen in zip(inputs.input_items, inputs.new_session, is_ranked, strict=True):
        scorer.advance(items, new_session)
        states.append(count.scorer.state_vectors()[chosen])
    counts = []
    for counted in count.in_blocks(torch.cat(states), inputs.target_items[is_ranked]):
        counts.append(counted)
        report(counted.shape[1])
    return torch.cat(counts, dim=1).numpy()


def _scores(scorer: Scorer, candidates: Candidates, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The scores (B, C), candidates first, and the column (B,) of each slot's target in them.

    Both come from one product: computed apart, equal scores may differ in their last bits, and ties would be
    decided by luck.
    """
    column = candidates.column[targets]
    if isinstance(candidates.items, slice):
        return scorer.scores(candidates.items), column
    own_column = candidates.num_candidates + torch.arange(len(targets), device=targets.device)
    scores = scorer.scores(torch.cat([candidates.items, targets]))
    return scores, torch.where(column >= 0, column, own_column)


def choose_num_slots(sessions: Sessions, scores_held: int, kind: str) -> int:
    """As many slots as memory allows, which holds so many scores of each, few enough that the longest session idles at
    most half of them."""
    num_steps = np.maximum(np.diff(sessions.offsets) - 1, 0)
    busy = int(num_steps.sum()) // int(num_steps.max(initial=1))
    return max(1, min(slots_in_memory(scores_held, kind), busy))


def slots_in_memory(num_scores: int, kind: str) -> int:
    """The number of slots, at least one, whose scores, so many each, fit into memory."""
    return max(1, min(MAX_SLOTS[kind], MAX_SCORES[kind] // num_scores))


def _ranks(sessions: Sessions, better: np.ndarray, equal: np.ndarray) -> Ranks:
    lengths = np.diff(sessions.offsets)
    position = np.arange(sessions.num_events) - np.repeat(sessions.offsets[:-1], lengths)
    predicted = sessions.is_ranked
    return Ranks(
        session=np.repeat(sessions.session_index, lengths)[predicted],
        position=position[predicted].astype(np.int32),
        target=sessions.items[predicted],
        better=better[predicted],
        equal=equal[predicted],
    )


def _refuse_nan(scorer: Scorer, sessions: Sessions, events: np.ndarray) -> None:
    if len(events):
        event = int(events.min())
        session = int(np.searchsorted(sessions.offsets, event, side="right")) - 1
        raise RunError(
            f"{scorer.name} scores NaN before event {event - sessions.offsets[session] + 1} of session "
            f"{sessions.session_index[session]}, so nothing can be ranked; where it is a network, its parameters have "
            "diverged: train it again with a lower learning_rate"
        )
