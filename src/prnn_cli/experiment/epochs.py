"""epochs=auto, and what else of training.* depends on it, made out once for all that reads the settings."""

from dataclasses import replace

from prnn_cli.schema import AUTO, TrainCommand


def with_epochs_made_out(settings: TrainCommand) -> TrainCommand:
    """The settings with a number of epochs, and with `training.refit` as true or false.

    With epochs=auto the epochs are chosen on a hold-out, up to a most of them, with patience, and refitted, but where
    the hold-out is the part that is ranked.
    """
    training, dataset = settings.training, settings.dataset
    if settings.epochs != AUTO:
        return replace(
            settings, epochs=int(settings.epochs), training=replace(training, refit=bool(training.refit))
        )
    refit = settings.evaluation.part != "validation" if training.refit is None else training.refit
    patience = AUTO if training.patience is None else training.patience
    return replace(
        settings,
        epochs=training.most_epochs,
        training=replace(training, select="best", patience=patience, refit=refit),
        dataset=replace(dataset, validation_days=dataset.validation_days or dataset.test_days),
    )
