"""Which sessions are remembered, by a clock that stands still unless told."""

from prnn_cli.serving.session_store import Remembered, SessionStore


def store_of(most: int, keys: str) -> tuple[SessionStore, list[float]]:
    now = [0.0]
    store = SessionStore(ttl=10, most=most, clock=lambda: now[0])
    for key in keys:
        store.put(key, Remembered((key,)))
    return store, now


def test_a_session_is_forgotten_after_its_last_click() -> None:
    store, now = store_of(5, "ab")
    now[0] = 9
    store.put("a", Remembered(("a", "c")))
    now[0] = 11
    assert store.get("a").clicks == ("a", "c")
    assert store.get("b") == Remembered()
    assert len(store) == 1
    now[0] = 19
    assert store.get("a") == Remembered()


def test_of_too_many_the_oldest_goes_first() -> None:
    store, _ = store_of(2, "abac")
    assert [store.get(key).clicks for key in "abc"] == [("a",), (), ("c",)]


def test_a_session_can_be_dropped() -> None:
    store, _ = store_of(2, "a")
    assert store.drop("a")
    assert not store.drop("a")
