"""The console's side of the firewall: one scan, and a watcher that is followed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from console.live.firewall_watch import FirewallWatch
from console.reading.firewall_scan import scan_or_known
from console.reading.row_counts_report import firewall_of_receipt
from console.state.view_state import FirewallLost, FirewallSeen
from pipeline.contracts.status import FirewallStatus, FirewallWord, Freshness, Origin
from pipeline.platform import firewall
from pipeline.platform.async_process import Followed
from pipeline.reading.past_runs import Receipt
from tests.waiting import LIMIT_SECONDS

# One scan

KNOWN = FirewallStatus(
    FirewallWord.STALE,
    Origin("receipt", 5.0, Freshness.STALE),
    detail="CLEAR when it was exported; not scanned since: distill firewall",
)


def use(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(firewall, "firewall_argv", lambda _: [sys.executable, "-c", script])


def test_a_report_is_the_verdict_now(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, """print('{"state": "CLEAR", "rows_read": 9, "findings_count": 0, "later": 1}')""")
    found = scan_or_known(tmp_path, KNOWN, 30)
    assert (found.state, found.rows_read) == (FirewallWord.CLEAR, 9)
    assert (found.origin.source, found.origin.freshness) == ("live", Freshness.FRESH)


def test_without_an_answer_it_is_unknown_and_says_what_was_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, "import time; time.sleep(600)")
    found = scan_or_known(tmp_path, KNOWN, 0.3)
    assert found.state is FirewallWord.UNKNOWN
    assert (found.origin.source, found.origin.as_of) == ("live", None), "nothing was observed"
    assert found.detail == (
        "the firewall gave no answer: no end within 0.3 s; last known: CLEAR when it was exported"
    )


def test_what_nobody_ever_judged_is_no_last_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, "import time; time.sleep(600)")
    found = scan_or_known(tmp_path, firewall_of_receipt(None), 0.3)
    assert found.detail == "the firewall gave no answer: no end within 0.3 s"


def test_an_export_that_was_not_judged_has_no_age() -> None:
    body = {"finished_at": "2026-04-27T08:41:07Z", "firewall": {"state": "UNKNOWN", "findings": 0}}
    found = firewall_of_receipt(Receipt("export", "P4", "receipts/export.json", body, True))
    assert (found.state, found.origin.as_of) == (FirewallWord.UNKNOWN, None)
    assert found.detail == "UNKNOWN when it was exported: no answer; not scanned since: distill firewall"


def test_a_known_breach_is_not_silenced_by_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, "import time; time.sleep(600)")
    breach = FirewallStatus(FirewallWord.BREACH, Origin("receipt", 5.0, Freshness.STALE), forbidden_rows=1)
    found = scan_or_known(tmp_path, breach, 0.3)
    assert (found.state, found.forbidden_rows, found.origin) == (FirewallWord.BREACH, 1, breach.origin)
    assert "no answer" in found.detail


def test_what_it_said_of_why_it_cannot_judge_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = """{"state": "UNKNOWN", "rows_read": 4, "findings_count": 0, "detail": "there is no evidence"}"""
    use(monkeypatch, f"import sys; print('''{said}'''); sys.exit(3)")
    found = scan_or_known(tmp_path, KNOWN, 30)
    assert (found.state, found.rows_read) == (FirewallWord.UNKNOWN, 4)
    assert found.detail.startswith("there is no evidence; last known")


def test_nothing_is_started_by_who_does_not_ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, f"open({str(tmp_path / 'started')!r}, 'w')")
    assert scan_or_known(tmp_path, KNOWN, 0) is KNOWN
    assert not (tmp_path / "started").exists()


def test_a_breach_of_another_export_is_seen_where_the_sft_file_was_set_aside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = {
        "state": "BREACH",
        "rows_read": 0,
        "findings_count": 1,
        "by_file": {"exports/rag/playbooks.jsonl": 1},
    }
    use(monkeypatch, f"import sys; print({json.dumps(said)!r}); sys.exit(10)")
    found = scan_or_known(tmp_path, FirewallStatus(FirewallWord.ABSENT), 30)
    assert found.state is FirewallWord.BREACH
    assert found.by_file == (("exports/rag/playbooks.jsonl", 1),)


# The watcher

STATE = (
    '{"type": "firewall.state", "seq": 1, "at": "2026-04-27T06:00:00Z", "state": "%s", "file": "f", '
    '"rows_read": 9, "findings_count": 0}'
)


def watch(script: str, **options: Any) -> FirewallWatch:
    options = {"back_off_seconds": (0.01,), **options}
    return FirewallWatch(Path("/nowhere"), argv=[sys.executable, "-c", script], **options)


def states(
    script: str, **options: Any
) -> contextlib.aclosing[AsyncGenerator[FirewallSeen | FirewallLost, None]]:
    return contextlib.aclosing(watch(script, **options).states())


async def following(found: AsyncIterator[FirewallSeen | FirewallLost]) -> FirewallSeen | FirewallLost:
    return await asyncio.wait_for(anext(found), LIMIT_SECONDS)


async def test_each_state_that_the_watcher_says_is_a_fact() -> None:
    script = f"print('''{STATE % 'CLEAR'}\n{STATE % 'BREACH'}''', flush=True); input()"
    async with states(
        "import sys\n" + script.replace("input()", "sys.stdin.read(); import time; time.sleep(60)")
    ) as found:
        words = [await following(found), await following(found)]
    assert [fact.firewall.state for fact in words if isinstance(fact, FirewallSeen)] == [
        FirewallWord.CLEAR,
        FirewallWord.BREACH,
    ]


async def test_the_age_counts_from_when_it_was_said() -> None:
    async with states(f"print('{STATE % 'CLEAR'}')", clock=lambda: 4e9) as found:
        fact = await following(found)
    assert isinstance(fact, FirewallSeen)
    assert fact.firewall.origin.as_of == 1777269600.0


async def test_a_word_that_is_not_known_is_unknown_and_garbage_is_nothing() -> None:
    async with states(f"print('garbage'); print('[1]'); print('{STATE % 'PURPLE'}')") as found:
        fact = await following(found)
    assert isinstance(fact, FirewallSeen)
    assert fact.firewall.state is FirewallWord.UNKNOWN


async def test_a_watcher_that_dies_is_told_with_its_last_word_and_started_again(tmp_path: Path) -> None:
    lives = tmp_path / "lives"
    script = f"import sys; open({str(lives)!r}, 'a').write('x'); print('{STATE % 'CLEAR'}')"
    script += "; sys.exit('no \\x1b[31mindex')"
    async with states(script) as found:
        facts = [await following(found) for _ in range(4)]
    assert [type(fact) for fact in facts] == [FirewallSeen, FirewallLost, FirewallSeen, FirewallLost]
    assert facts[1] == FirewallLost("ended with exit code 1: no \\x1b[31mindex")
    assert len(lives.read_text()) >= 2


async def test_silence_is_told_once_until_it_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, go = STATE % "CLEAR", tmp_path / "go"
    script = (
        f"import os, time; print('{state}', flush=True)\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
        f"print('{state}', flush=True); time.sleep(600)"
    )
    heard: list[str] = []
    line = Followed.line

    async def counted(firewall: Followed, silence_seconds: float) -> bytes:
        try:
            said = await line(firewall, silence_seconds)
        except TimeoutError:
            heard.append("silence")
            if heard[-3:] == ["silence"] * 3 and "state" in heard:  # told at the first of them
                go.touch()
            raise
        heard.append("state")
        return said

    monkeypatch.setattr(Followed, "line", counted)
    async with states(script, silence_seconds=0.2) as found:
        while isinstance(first := await following(found), FirewallLost):
            continue  # the interpreter was slow to begin
        assert isinstance(first, FirewallSeen)
        assert await following(found) == FirewallLost("silent for 0.2 s")
        assert isinstance(await following(found), FirewallSeen)
    assert heard[heard.index("state") + 1 :].count("silence") >= 3


async def test_a_line_without_end_ends_that_watcher() -> None:
    async with states("print('x' * 3_000_000, flush=True); import time; time.sleep(600)") as found:
        assert await following(found) == FirewallLost("wrote a line longer than any state")


async def test_a_full_error_pipe_does_not_stop_the_watcher() -> None:
    async with states(f"import sys; sys.stderr.write('x' * 1_000_000); print('{STATE % 'CLEAR'}')") as found:
        assert isinstance(await following(found), FirewallSeen)


async def test_a_firewall_that_cannot_be_started_is_told() -> None:
    found = FirewallWatch(Path("/nowhere"), argv=["/nowhere/python"], back_off_seconds=(0.01,)).states()
    assert await following(found) == FirewallLost("could not be started: No such file or directory")
    await found.aclose()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the watcher waited before each new start; it does not really wait."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("console.live.firewall_watch.asyncio.sleep", sleep)
    return waited


async def started(times: int) -> None:
    watching = FirewallWatch(Path("/nowhere"), argv=["/nowhere/python"], back_off_seconds=(1.0, 2.0, 5.0))
    async with contextlib.aclosing(watching.states()) as found:
        for _ in range(times):
            assert isinstance(await anext(found), FirewallLost)


async def test_a_watcher_that_dies_at_once_is_started_later_each_time(pauses: list[float]) -> None:
    await started(6)
    assert pauses == [1.0, 2.0, 5.0, 5.0, 5.0]


async def test_a_watcher_that_was_well_for_long_is_started_soon_again(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.live.firewall_watch.HEALTHY_SECONDS", -1.0)
    await started(4)
    assert pauses == [1.0, 1.0, 1.0]


async def test_closing_ends_the_process() -> None:
    detail = '{"type": "firewall.state", "state": "CLEAR", "detail": "%d"}'
    script = f"import os, time; print('{detail}' % os.getpid(), flush=True); time.sleep(600)"
    async with states(script) as found:
        fact = await following(found)
    assert isinstance(fact, FirewallSeen)
    with pytest.raises(ProcessLookupError):
        os.kill(int(fact.firewall.detail), 0)
