"""The plan feeds every click that has a next one, once, in order, and resets the state where a session begins."""

from hypothesis import given
from hypothesis import strategies as st

from generated.cases import cases
from prnn_cli.batching import SessionParallelPlan
from small import sessions_of

SESSIONS = st.lists(st.lists(st.integers(0, 7), min_size=1, max_size=7), max_size=25)


@cases(100)
@given(SESSIONS, st.integers(1, 9))
def test_slots_walk_through_all_sessions(sessions: list[list[int]], num_slots: int) -> None:
    plan = SessionParallelPlan.build(sessions_of(*sessions), num_slots)
    if not plan.num_steps:
        assert all(len(session) == 1 for session in sessions)
        return
    inputs = plan.steps(0, plan.num_steps)
    walked = []
    for slot in range(num_slots):
        for step in range(plan.num_steps):
            if not inputs.active[step, slot]:
                continue
            clicked, target = int(inputs.input_items[step, slot]), int(inputs.target_items[step, slot])
            if inputs.new_session[step, slot]:
                walked.append([clicked])
            assert walked[-1][-1] == clicked
            walked[-1].append(target)
    assert sorted(walked) == sorted(session for session in sessions if len(session) > 1)
