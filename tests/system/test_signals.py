import os
import signal

import pytest

from prnn_cli.errors import Stopped
from prnn_cli.system.signals import StopSignal


@pytest.fixture
def stop() -> StopSignal:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    stop = StopSignal()
    stop.install()
    yield stop
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def test_a_signal_stops_at_once(stop: StopSignal) -> None:
    with pytest.raises(Stopped) as stopped:
        send(signal.SIGTERM)
    assert stopped.value.exit_code == 143


def test_while_deferred_it_waits_to_be_asked_about(stop: StopSignal) -> None:
    done = []

    def tick() -> None:
        with stop.deferred():
            send(signal.SIGINT)
            done.append(stop.number)

    with pytest.raises(Stopped) as stopped:
        tick()
    assert done == [signal.SIGINT]
    assert stopped.value.exit_code == 130  # honoured at the end at the latest


@pytest.mark.parametrize("other", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_twice_within_milliseconds_is_one(
    stop: StopSignal, other: signal.Signals
) -> None:
    """The work up to the end of the tick, and what follows the stop, such as the record of it, are done."""
    done = []

    def tick() -> None:
        with stop.deferred():
            send(signal.SIGTERM)
            send(other)
            done.append("the tick")

    def recorded() -> None:
        try:
            tick()
        finally:
            send(other)
            done.append("the record")

    with pytest.raises(Stopped) as stopped:
        recorded()
    assert done == ["the tick", "the record"]
    assert stopped.value.exit_code == 143


def test_a_later_signal_is_at_once(stop: StopSignal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prnn_cli.system.signals.REPEATED_S", 0.0)
    done = []

    def tick() -> None:
        with stop.deferred():
            send(signal.SIGINT)
            send(signal.SIGINT)
            done.append("what comes after the second signal")

    with pytest.raises(Stopped):
        tick()
    assert not done


def test_an_old_signal_does_not_stop_later_work(stop: StopSignal) -> None:
    with pytest.raises(Stopped), stop.deferred():
        send(signal.SIGINT)
    send(signal.SIGINT)  # the same one
    with stop.deferred():
        assert stop.number is None
