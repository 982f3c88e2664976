"""A trial of a search while it trains: each epoch's validation metric goes to the study, which may end the trial."""

from prnn_cli.errors import Pruned
from prnn_cli.experiment.supervisor import EpochObserver
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import SearchConfig
from prnn_cli.training.state import EpochRecord


def trial_observers(search: SearchConfig | None, folder: RunFolder) -> list[EpochObserver]:
    if search is None or search.trial is None:
        return []
    from prnn_cli.experiment.study import load_trial

    metric, trial = search.metric, load_trial(folder.path.parent, search)
    reported = trial.study._storage.get_trial(trial._trial_id).intermediate_values

    def report(num_epochs: int, record: EpochRecord, measured: dict[str, float]) -> None:
        if (
            num_epochs in reported or metric not in measured
        ):  # before the run was resumed; or nobody measures epochs
            return
        trial.report(measured[metric], num_epochs)
        if trial.should_prune():
            reached = f"{metric} {measured[metric]:.4f}"
            raise Pruned(
                f"pruned after epoch {num_epochs}: {reached} is below the median of the trials before it"
            )

    return [report]
