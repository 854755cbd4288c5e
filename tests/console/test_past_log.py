"""The log of a console that was opened after a run: that run's lines, in the same words, at their times."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.reading.past_log import past_log
from console.state.derive import advance
from console.state.event_words import entries_of
from console.state.view_state import LOG_LIMIT, LogEntry, Noted, PastLog, initial
from pipeline.contracts import events, paths
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.status import RunRow
from pipeline.platform.lenient_json import rows
from tests.console.states import NOW

STREAMS = Path(__file__).parents[2] / "fixtures/event_streams"
RUN = "20260427T062900Z-9f31"


def followed(lines: list[bytes]) -> list[LogEntry]:
    """What a console that watched the run wrote into its log."""
    state = initial("/w")
    for line in lines:
        try:
            event = events.decode(line)
        except ValueError:
            continue
        state = advance(state, event, NOW)
    return [entry for entry in state.log if not entry.text.startswith("event stream:")]


@pytest.mark.parametrize("name", ["run_all.jsonl", "killed.jsonl"])
def test_it_says_what_was_said_to_those_who_watched(name: str) -> None:
    lines = (STREAMS / name).read_bytes().splitlines()
    read = entries_of(rows(lines))
    assert len(read) >= 3
    assert read[-LOG_LIMIT:] == followed(lines)[-LOG_LIMIT:]


def test_a_hostile_stream_costs_nothing_but_its_own_lines(tmp_path: Path) -> None:
    target = tmp_path / paths.events_file(RUN)
    target.parent.mkdir(parents=True)
    target.write_bytes((STREAMS / "hostile.jsonl").read_bytes() + b'{"type": "run.started", "pid": "x"\n[]\n')
    assert all(isinstance(entry.text, str) for entry in past_log(tmp_path, (RunRow(RUN),)))
    assert past_log(tmp_path, (RunRow("another"),)) == ()
    assert past_log(tmp_path, ()) == ()


def test_lines_stand_in_the_order_of_their_times() -> None:
    """The console noted something before the older lines were read."""
    state = advance(initial("/w"), Noted("info", "firewall CLEAR"), NOW)
    old = tuple(
        LogEntry(f"2026-04-27T06:29:0{second}.5Z", "info", f"line {second}") for second in (1, 2, 2, 3)
    )
    state = advance(state, PastLog(old), NOW)
    assert [entry.text for entry in state.log] == ["line 1", "line 2", "line 2", "line 3", "firewall CLEAR"]
    moments = [epoch_seconds(entry.at) for entry in state.log]
    assert moments == sorted(moments, key=lambda at: at or 0.0)


def test_older_lines_fall_out_first() -> None:
    state = advance(initial("/w"), Noted("info", "now"), NOW)
    many = tuple(LogEntry("2026-04-27T06:29:00Z", "info", str(n)) for n in range(LOG_LIMIT))
    state = advance(state, PastLog(many), NOW)
    assert len(state.log) == LOG_LIMIT
    assert (state.log[0].text, state.log[-1].text) == ("1", "now")
