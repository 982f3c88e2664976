"""epochs=auto, and what else of training.* depends on it, made out once for all that reads the settings."""

from dataclasses import replace

from prnn_cli.errors import UserError
from prnn_cli.schema import AUTO, TrainCommand


def with_epochs_made_out(settings: TrainCommand) -> TrainCommand:
    """The settings with a number of epochs, and with `training.select` and `training.refit` as they are meant.

    With epochs=auto the epochs are chosen on a hold-out, up to a most of them, with patience, and refitted, but where
    the hold-out is the part that is ranked. Raises `UserError` where the last ones are to be kept all the same.
    """
    training, dataset = settings.training, settings.dataset
    if settings.epochs != AUTO:
        plain = replace(training, select=training.select or "last", refit=bool(training.refit))
        return replace(settings, epochs=int(settings.epochs), training=plain)
    if training.select == "last":
        raise UserError(
            "epochs=auto chooses the epochs, which training.select=last forbids; give a number, such as epochs=10, or "
            "leave training.select out"
        )
    from prnn_cli.data.splits.rules import with_hold_out_days  # loads pandas, which help does without

    refit = settings.evaluation.part != "validation" if training.refit is None else training.refit
    patience = AUTO if training.patience is None else training.patience
    return replace(
        settings,
        epochs=training.most_epochs,
        training=replace(training, select="best", patience=patience, refit=refit),
        dataset=with_hold_out_days(replace(dataset, validation_days=dataset.validation_days or AUTO)),
    )
