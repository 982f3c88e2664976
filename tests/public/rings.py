"""Sessions that can be counted by hand: each goes along a ring of ten items, so that all items are met as often."""

NUM_ITEMS = 10


def along(start: int, length: int) -> list[int]:
    """The items of a session: `start` and those after it, by their places in the ring."""
    return [(start + step) % NUM_ITEMS for step in range(length)]
