"""A dataset as one source of features sees it: of the vectors that come with its items, those of this source alone."""

from dataclasses import replace

from prnn_cli.schema import DatasetConfig


def seen_by(source: str, dataset: DatasetConfig) -> DatasetConfig:
    """The dataset whose `items.vectors` is the file of the source, None where it has none, and whose
    `items.vector_columns` names the column of the source alone, an empty one where it has none."""
    items = dataset.items
    vectors = items.vectors.get(source) if isinstance(items.vectors, dict) else items.vectors
    columns = {source: items.vector_columns.get(source, "")} if items.vector_columns else {}
    if (vectors, columns) == (items.vectors, items.vector_columns):
        return dataset
    return replace(dataset, items=replace(items, vectors=vectors, vector_columns=columns))
