"""Guesses whether a table has a row for each property of an item, and what its columns hold."""

from dataclasses import dataclass

import pyarrow as pa

from prnn_cli.data.describe.column_roles import distinct_texts, find_time, fits

PROPERTY, VALUE = r"propert|attribut|feature|facet", r"value|(^|_)val$"


@dataclass(frozen=True)
class PropertyColumns:
    """The columns of a table with a row for each property of an item, but for the item's id.

    time_format: None where there is no time, or one that needs no format
    """

    property: str
    value: str
    time: str | None
    time_format: str | None


def find_property_columns(sample: pa.Table) -> PropertyColumns | None:
    """The columns of a table of properties, by their names; None of another table, or where no property comes again."""
    value = next((name for name in sample.column_names if fits(name, VALUE)), None)
    names = (name for name in sample.column_names if fits(name, PROPERTY) and name != value)
    name = next(names, None)
    if value is None or name is None or len(distinct_texts(sample[name])) > 0.5 * len(sample):
        return None
    time, time_format = find_time(sample.drop_columns([value, name])) or (None, None)
    if not isinstance(time, str):
        return PropertyColumns(name, value, None, None)
    return PropertyColumns(name, value, time, None if time_format == "auto" else time_format)
