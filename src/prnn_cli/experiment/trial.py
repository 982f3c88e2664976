"""A trial of a search while it trains: its metric on the validation part goes to the study, which may prune it."""

from prnn_cli.errors import Pruned
from prnn_cli.experiment.supervisor import EpochObserver
from prnn_cli.run_folder import RunFolder
from prnn_cli.schema import SearchConfig
from prnn_cli.training.state import EpochRecord


def trial_observers(search: SearchConfig | None, folder: RunFolder) -> list[EpochObserver]:
    """The observer that reports each epoch to the study; none where the run is no trial. It raises `Pruned`."""
    if search is None or search.trial is None:
        return []
    from prnn_cli.experiment.study import load_trial

    metric, trial = search.metric, load_trial(folder.path.parent, search)
    reported = trial.study._storage.get_trial(trial._trial_id).intermediate_values

    def report(num_epochs: int, record: EpochRecord, measured: dict[str, float]) -> None:
        # An epoch was reported already where the run is resumed; none is measured with evaluation.each_epoch=false.
        if num_epochs in reported or metric not in measured:
            return
        trial.report(measured[metric], num_epochs)
        if trial.should_prune():
            reached = f"{metric} {measured[metric]:.4f}"
            raise Pruned(
                f"pruned after epoch {num_epochs}: {reached} is below the median of the trials before it"
            )

    return [report]
