"""Settings of the group dataset, put together without Hydra's command line."""

from typing import Any, cast

from omegaconf import OmegaConf

from prnn_cli.extensions import own_configs
from prnn_cli.schema import DatasetConfig


def dataset_of(settings: Any) -> DatasetConfig:
    """The dataset that a config of `settings` and `defaults: [generic]` composes.

    Interpolations are followed, from `dataset.` too; text of others is to be escaped. Raises OmegaConf's errors for
    unknown options and wrong types.
    """
    generic = OmegaConf.load(own_configs() / "dataset" / "generic.yaml")
    dataset = OmegaConf.merge(OmegaConf.structured(DatasetConfig), generic, settings)
    return cast(DatasetConfig, OmegaConf.to_object(OmegaConf.create({"dataset": dataset}).dataset))
