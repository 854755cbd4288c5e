"""The child that runs the detectors, and when it is started."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from console.live.runbook_watch import BURST_SECONDS, SHARE, Look, Pace, RunbookLook, RunbookWatch
from console.state.derive import advance
from console.state.runbook_state import RunbookReading, parse
from console.state.view_state import RunbookHeard, initial
from tests.console.runbook_answers import answer, look_that, symptom
from tests.waiting import GROWING_LIMITS, LIMIT_SECONDS, is_alive, wait_until

NOW = 1_777_279_267.0


# The answer


def test_an_answer_is_read_with_its_page() -> None:
    (known,) = parse(answer(symptom("S1.P0.recon-doc", "detected", explained_by=["X"])).encode())
    assert (known.id, known.is_detected, known.explained_by) == ("S1.P0.recon-doc", True, ("X",))
    assert known.causes == (("deleted", "Somebody deleted it."),)
    assert known.by_hand == (("Put it back.", "git checkout -- it"),)


@pytest.mark.parametrize("reason", ["contained", "nothing_yet"])
def test_who_had_nothing_to_see_was_not_blind(reason: str) -> None:
    blind, aside = parse(answer(symptom("A", "unknown"), symptom("B", "unknown", **{reason: True})).encode())
    assert (blind.answer.is_blind, aside.answer.is_blind) == (True, False)


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '{"symptoms": []}', '{"symptoms": [5, "x"]}'])
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"it names no symptom|unexpected|EOF|invalid|Input"):
        parse(text.encode())


def test_a_verdict_that_nobody_knows_is_unknown_and_never_clear() -> None:
    (known,) = parse(answer(symptom("S9", "fine", as_of="yesterday", severity=7)).encode())
    assert (known.verdict, known.as_of) == ("unknown", None)


# The child


def test_a_child_of_lowest_priority_answers(tmp_path: Path) -> None:
    code = (
        f"import os, sys; sys.stdout.write({answer(symptom('A'))!r}.replace('A is clear', str(os.nice(0))))"
    )
    # Its priority is lowered once it has begun: it waits for that, and says so where it never comes.
    waits = (
        "import os, time\nend = time.monotonic() + 300\n"
        "while os.nice(0) < 19 and time.monotonic() < end: pass\n"
    )
    look = look_that(waits + code, tmp_path).run()
    assert [each.observed for each in look.symptoms] == ["19"]
    assert look.trouble == ()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise RuntimeError('this runbook is broken')", "exit 1, RuntimeError: this runbook is broken"),
        ("print('no json')", "exit 0, it said nothing"),
        ("import os; os.kill(os.getpid(), 9)", "exit -9, it said nothing"),
        ("import sys; sys.exit('\\x1b[2J')", r"exit 1, \x1b[2J"),
    ],
)
def test_a_broken_runbook_is_three_lines(code: str, says: str, tmp_path: Path) -> None:
    look = look_that(code, tmp_path).run()
    assert look.symptoms == ()
    what_happened, kept_safe, do_next = look.trouble
    assert says in what_happened
    assert "Nothing was changed" in kept_safe
    assert "distill runbook detect" in do_next


def test_a_program_that_is_not_there_is_three_lines(tmp_path: Path) -> None:
    look = RunbookLook(tmp_path, argv=[str(tmp_path / "gone")]).run()
    assert "could not be started" in look.trouble[0]


_WITH_A_CHILD = """
import os, sys, time
from pipeline.platform.process import Running
child = Running([sys.executable, "-c", "import time; time.sleep(600)"], limit_seconds=600)
with open({path!r} + ".tmp", "w") as file:
    file.write(str(child.pid))
os.replace({path!r} + ".tmp", {path!r})
time.sleep(600)
"""


def test_past_its_time_a_look_ends_with_all_that_it_started(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    for limit in GROWING_LIMITS:
        look = look_that(_WITH_A_CHILD.format(path=str(path)), tmp_path, limit_seconds=limit).run()
        assert f"took longer than {limit:g} s" in look.trouble[0]
        if path.exists():
            break
    wait_until(lambda: not is_alive(int(path.read_text())), "the engine that it had started is gone")


def test_a_console_that_leaves_ends_the_look(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    look = look_that(_WITH_A_CHILD.format(path=str(path)), tmp_path)
    thread = threading.Thread(target=look.run)
    thread.start()
    wait_until(path.exists, "the child has begun")
    look.end()
    thread.join(LIMIT_SECONDS)
    assert not thread.is_alive()
    wait_until(lambda: not is_alive(int(path.read_text())), "the engine that it had started is gone")


def test_what_children_used_counts(tmp_path: Path) -> None:
    burn = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    assert look_that(code, tmp_path).run().processor_seconds > 0.3


# When


def test_looks_take_no_more_than_their_share_in_the_long_run() -> None:
    pace, now, spent = Pace(0.0), 0.0, 0.0
    while now < 3600.0:
        now = max(now, pace.ready_at(now))
        pace.spend(1.7, now)
        spent += 1.7
        now += 1.0
    assert spent / now < 0.05


def test_after_a_quiet_while_a_look_need_not_wait() -> None:
    pace = Pace(0.0, share=0.04, burst=4.0)
    pace.spend(30.0, 0.0)
    assert pace.ready_at(0.0) == pytest.approx(650.0)
    assert pace.ready_at(700.0) == 700.0


class Counted:
    """Looks that answer at once and cost what they are told to."""

    def __init__(self, cost: float = 0.0) -> None:
        self.cost, self.looks = cost, 0

    def __call__(self, _root: Path) -> RunbookLook:
        counted = self

        class _Look(RunbookLook):
            def run(self) -> Look:
                counted.looks += 1
                seen = parse(answer(symptom("A", observed=f"look {counted.looks}")).encode())
                return Look(seen, (), 0.1, counted.cost)

        return _Look(_root)


async def readings(
    facts: AsyncGenerator[RunbookHeard, None], enough: Callable[[RunbookReading], bool]
) -> RunbookReading:
    async with asyncio.timeout(LIMIT_SECONDS):
        async for fact in facts:
            if enough(fact.reading):
                return fact.reading
    raise AssertionError("the watch ended by itself")


def looked(times: int) -> Callable[[RunbookReading], bool]:
    return lambda reading: (
        reading.looking_since is None and any(f"look {times}" in each.observed for each in reading.symptoms)
    )


async def test_it_looks_at_the_start_when_told_and_when_something_changed(tmp_path: Path) -> None:
    counted = Counted()
    watch = RunbookWatch(tmp_path, make_look=counted, watch_seconds=0.02)
    async with aclosing(watch.facts()) as facts:
        await readings(facts, looked(1))
        watch.ask()
        await readings(facts, looked(2))
        (tmp_path / "distill.toml").write_text("[workspace]\n")
        await readings(facts, looked(3))
        (tmp_path / "pipeline/stages").mkdir(parents=True)
        (tmp_path / "pipeline/stages/score.py").write_text("ACCEPT = 0.1\n")
        await readings(facts, looked(4))
    assert counted.looks == 4


async def test_a_change_beyond_the_budget_waits_and_says_until_when(tmp_path: Path) -> None:
    counted = Counted(cost=100.0)
    watch = RunbookWatch(tmp_path, make_look=counted, watch_seconds=0.02, clock=lambda: NOW)
    async with aclosing(watch.facts()) as facts:
        await readings(facts, looked(1))
        (tmp_path / "distill.toml").write_text("")
        waiting = await readings(facts, lambda reading: reading.next_look is not None)
        assert waiting.next_look == pytest.approx(NOW + (100.0 - BURST_SECONDS) / SHARE, abs=60)
        watch.ask()
        assert (await readings(facts, looked(2))).next_look is None


async def test_an_incident_is_heard_of_without_a_look(tmp_path: Path) -> None:
    counted = Counted()
    watch = RunbookWatch(tmp_path, make_look=counted, watch_seconds=0.02)
    async with aclosing(watch.facts()) as facts:
        await readings(facts, looked(1))
        folder = tmp_path / "reports/incidents/20261124-0300-x"
        folder.mkdir(parents=True)
        (folder / "journal.jsonl").write_text('{"kind": "opened", "state": "detected", "actor": "mara"}\n')
        heard = await readings(facts, lambda reading: bool(reading.incidents))
    assert [(each.id, each.owner) for each in heard.incidents] == [("20261124-0300-x", "mara")]
    assert counted.looks == 1


def test_a_look_that_failed_is_logged_once() -> None:
    state = initial("/srv/w")
    heard = RunbookHeard(RunbookReading(trouble=("The detectors did not answer.", "", "")))
    for _ in range(2):
        state = advance(state, heard, NOW)
    assert [entry.text for entry in state.log] == ["The detectors did not answer."]


def test_the_real_detectors_answer_in_a_child(tmp_path: Path) -> None:
    (tmp_path / "distill.toml").write_text("")
    before = os.getpriority(os.PRIO_PROCESS, 0)
    look = RunbookLook(tmp_path).run()
    assert look.trouble == ()
    known = {each.id: each for each in look.symptoms}
    assert known["S1.P0.recon-doc"].is_detected
    assert all(each.title and each.what_you_see and each.why and each.by_hand for each in look.symptoms)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
