"""The state machine, on its own."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_blueno.jobs.lifecycle import (
    ACTIVE,
    Ending,
    ExitRecord,
    Observation,
    Phase,
    allowed,
    duration,
    judge,
    signal_in_words,
)
from jupyter_blueno.jobs.model import TERMINAL, State

states = st.sampled_from(get_args(State))
records = st.none() | st.builds(
    ExitRecord,
    ending=st.sampled_from(get_args(Ending)),
    finished_at=st.floats(0, 2e9),
    exit_code=st.none() | st.integers(0, 255),
    signal=st.none() | st.integers(1, 64),
    ok=st.none() | st.booleans(),
)
seen = st.builds(Observation, phase=st.sampled_from(get_args(Phase)), record=records)


@given(states, st.lists(st.tuples(st.sampled_from(["run", "cancel"]), seen), max_size=8))
def test_states_only_go_forward_and_ends_are_final(
    state: State, looks: list[tuple[str, Observation]]
) -> None:
    for desired, look in looks:
        verdict = judge(state, desired, look)  # type: ignore[arg-type]
        assert verdict.state == state or allowed(state, verdict.state)
        if state in TERMINAL:
            assert verdict.state == state
        state = verdict.state


@given(states, st.sampled_from(["absent", "unwatched", "unknown"]))
def test_nothing_follows_from_not_seeing(state: State, phase: Phase) -> None:
    assert judge(state, "run", Observation(phase)).state == state


@given(st.sampled_from(ACTIVE), records.filter(bool))
def test_an_end_is_always_an_end_with_a_reason(state: State, record: ExitRecord) -> None:
    verdict = judge(state, "run", Observation("ended", record=record))
    assert verdict.state in TERMINAL
    if verdict.state in ("LOST", "CANCELLED", "TIMED_OUT"):
        assert verdict.reason


@pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (11, "SIGSEGV"), (200, "unknown")])
def test_signals_have_names(number: int, name: str) -> None:
    assert f"signal {number} ({name})" in signal_in_words(number)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.5, "0.5 s"), (90, "90 s"), (300, "5 min"), (7500, "2 h 5 min")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
