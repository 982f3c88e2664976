"""What the times of a log would be in another unit."""

import pytest

from prnn_cli.data.formats.time_units import seconds_of, unit_advice

MAY_2024 = 1_714_550_000


def test_excels_days_are_counted_from_1900_and_read_to_the_millisecond() -> None:
    assert seconds_of(25_569.0, "excel_days") == 0
    # 2024-05-01 07:53:20, as a cell shows it
    assert seconds_of(45_413.328704, "excel_days") == 1_714_550_000.026


@pytest.mark.parametrize(
    ("first", "last", "time_format", "unit"),
    [
        (45_413.33, 45_420.5, "auto", "excel_days"),
        (MAY_2024 / 1000, MAY_2024 / 1000 + 90, "milliseconds", "seconds"),
        (0, 900_000, "auto", None),  # seconds since the log began
        (MAY_2024, MAY_2024 + 90, "auto", None),
        (45_413.33, 45_420.5, "iso", None),
    ],
)
def test_another_unit_is_named_where_it_makes_more_sense(
    first: float, last: float, time_format: str, unit: str | None
) -> None:
    advice = unit_advice(first, last, time_format)
    assert (f"set dataset.time_format={unit}" in advice) if unit else advice == ""


def test_the_advice_shows_both_readings() -> None:
    assert unit_advice(45_413.25, 45_420.5, "auto") == (
        "the times, such as 45413.25, were read as seconds, from 1970-01-01 12:36:53 to 1970-01-01 12:37:00; as "
        "excel_days they are from 2024-05-01 06:00:00 to 2024-05-08 12:00:00: set dataset.time_format=excel_days"
    )
