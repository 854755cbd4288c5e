"""Whatever arrives in whatever order, nothing raises and the shape holds."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from console.state.view_state import (
    LOG_LIMIT,
    CancelAsked,
    FirewallLost,
    Noted,
    ReadFailed,
    RunEnded,
    RunFollowed,
    StatusRead,
    TailSlice,
    Tick,
    initial,
)
from pipeline.contracts import events
from pipeline.contracts.status import (
    FirewallWord,
)
from tests.console.view_states import (
    AT,
    firewall,
    folded,
    status,
)

_TEXT = st.text(max_size=12)
_COUNT = st.integers(0, 2**40)
_STAGE = st.sampled_from(("materialize", "score", "export", "export-sft", "P7", "acceptance", "unheard-of"))
_TIME = st.one_of(st.just(AT), _TEXT, st.just("2026-04-27T06:00:07+02:00"))
_SEQ = st.integers(1, 50)
_EVENTS = st.one_of(
    st.builds(
        events.RunStarted,
        seq=_SEQ,
        at=_TIME,
        pipeline_run_id=_TEXT,
        command=_TEXT,
        workspace=_TEXT,
        pid=_COUNT,
        host=_TEXT,
        stages=st.lists(_STAGE, max_size=4).map(tuple),
    ),
    st.builds(events.StageStarted, seq=_SEQ, at=_TIME, stage=_STAGE),
    st.builds(
        events.StageProgress,
        seq=_SEQ,
        at=_TIME,
        stage=_STAGE,
        rows_in=_COUNT,
        bytes_done=_COUNT,
        bytes_total=st.none() | _COUNT,
        categories=st.dictionaries(_TEXT, _COUNT, max_size=3),
        by_stream=st.dictionaries(
            _TEXT, st.dictionaries(st.sampled_from(("evidence", "accepted", "odd")), _COUNT), max_size=3
        ),
    ),
    st.builds(
        events.StageFinished,
        seq=_SEQ,
        at=_TIME,
        stage=_STAGE,
        ok=st.booleans(),
        elapsed_seconds=st.floats(0, 9),
    ),
    st.builds(
        events.LogLine,
        seq=_SEQ,
        at=_TIME,
        message=_TEXT,
        fault=st.none() | st.dictionaries(_TEXT, _TEXT, max_size=2),
    ),
    st.builds(events.FirewallState, seq=_SEQ, at=_TIME, state=_TEXT, file=_TEXT),
    st.builds(events.RunFinished, seq=_SEQ, at=_TIME, ok=st.booleans(), exit_code=st.integers(0, 255)),
    st.builds(
        events.UnknownEvent, seq=_SEQ, at=_TIME, type=_TEXT, raw=st.dictionaries(_TEXT, _TEXT, max_size=2)
    ),
)
_FACTS = st.sampled_from(
    (
        Tick(),
        Noted("info", "x"),
        StatusRead(status()),
        firewall(FirewallWord.CLEAR),
        firewall(FirewallWord.BREACH, count=1),
        FirewallLost("gone"),
        RunFollowed("r", "run-all", ours=False),
        RunEnded("r", None, True),
        CancelAsked("r"),
        ReadFailed("gone"),
    )
)


@settings(max_examples=150, deadline=None)
@given(items=st.lists(st.one_of(_EVENTS, _FACTS), max_size=25), now=st.floats(0, 2e9))
def test_no_item_in_any_order_raises_and_the_shape_holds(items: list[Any], now: float) -> None:
    state = folded(initial("/w"), *items, now=now)
    assert [known.id for known in state.phases] == [f"P{number}" for number in range(10)]
    assert len(state.log) <= LOG_LIMIT
    assert state.run is None or state.run.progress.fraction is None or 0 <= state.run.progress.fraction <= 1


@settings(max_examples=60, deadline=None)
@given(items=st.lists(_EVENTS, max_size=20), cut=st.integers(0, 20))
def test_slices_show_what_single_events_show(items: list[Any], cut: int) -> None:
    one_by_one = folded(initial("/w"), *items)
    sliced = folded(initial("/w"), TailSlice(tuple(items[:cut]), 1), TailSlice(tuple(items[cut:]), 1))
    assert (sliced.run, sliced.rows, sliced.phases) == (one_by_one.run, one_by_one.rows, one_by_one.phases)
