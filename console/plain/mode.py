"""The plain console: the same state and the same command layer, as numbered prompts.

For dumb terminals, screen readers and pipes. Nothing is drawn over and no escape sequence is
written; what becomes urgent while a prompt waits is told on a line of its own.
"""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import threading
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from console import keymap
from console.control.armed import Armed, Permit, ReadOnlyError
from console.control.changes import Changes, Operations
from console.control.lease import TAKE_OVER_WORD, ControlLease
from console.control.look_fault import look_fault, runbook_fault
from console.live.daemon_work import in_thread
from console.plain import pages as plain_pages
from console.plain.checks import PlainChecks
from console.plain.pages import Choice
from console.plain.records import PlainRecords
from console.plain.status import exit_code
from console.plain.wizard import PlainWizards
from console.state.derive import advance
from console.state.view_state import Noted, Session, Tick, ViewState, initial
from pipeline.contracts.faults import Fault
from pipeline.contracts.status import FirewallWord
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from console.control.feed import Feed, Item

FIRST_READ_SECONDS = 10.0
_HELP = next(choice.number for choice in plain_pages.CHOICES if choice.name == "help")


class PlainConsole:
    """``out`` writes one line; ``reader`` hands over what is typed, line by line, then None."""

    def __init__(
        self,
        root: str,
        session: Session,
        feed: Feed,
        *,
        out: Callable[[str], None],
        lease: ControlLease | None = None,
        clock: Callable[[], float] = time.time,
        reader: Callable[[Callable[[str | None], None]], None] | None = None,
    ) -> None:
        self.state: ViewState = initial(root, session)
        self.armed = Armed(time.monotonic, lease)
        self._operations = Operations(self.armed, feed)
        self._changes = Changes(self, self.armed, self._operations)
        self._feed = feed
        self._out = out
        self._clock = clock
        self._reader = reader or read_lines
        self._typed: asyncio.Queue[str | None] = asyncio.Queue()
        self._was_read = asyncio.Event()
        state, say, ask = (lambda: self.state), self._say, self._ask
        self._checks = PlainChecks(state, clock, say, ask)
        self._records = PlainRecords(
            state,
            clock,
            say,
            ask,
            export=lambda incident_id: self._change("incident.export", incident_id),
        )

    async def run(self, operate_because: str | None = None) -> int:
        """Until quit (0) or the end of input (the status's own exit code)."""
        listening = asyncio.create_task(self._listen())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_READ_SECONDS):
                    await self._was_read.wait()
            self._say(*plain_pages.all_lines(self.state, self._clock()))
            if operate_because:
                await self._arm_because(operate_because)
            loop = asyncio.get_running_loop()

            def typed(line: str | None) -> None:
                loop.call_soon_threadsafe(self._typed.put_nowait, line)

            threading.Thread(target=self._reader, args=(typed,), daemon=True).start()
            return await self._converse()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            self.armed.disarm()

    async def _converse(self) -> int:
        while True:
            typed = await self._ask(f"number or name, {_HELP} for the list")
            if typed is None:
                return exit_code(self.state, self._clock())
            choice = plain_pages.choice_for(typed)
            if choice is None:
                self._say(f"no such choice: {visible(typed, 40)}")
            elif choice.name == "quit":
                self._say("quit; runs go on")
                return 0
            else:
                await self._do(choice)

    async def _do(self, choice: Choice) -> None:
        self.take(Tick())
        now = self._clock()
        if choice.action_id == "arm":
            await self._arm()
        elif choice.name == "runbook":
            await self._records.runbook()
        elif choice.name == "incidents" or (choice.name == "incident.export" and self.armed.is_armed):
            await self._records.incidents()
        elif choice.name in ("audit", "skips", "release"):
            await self._list(choice.name)
        elif choice.action_id == keymap.WIZARD_ANSWER:
            await self._wizard()
        elif choice.action_id:
            await self._change(choice.action_id)
        elif choice.name == "help":
            self._say(*plain_pages.menu_lines())
        elif choice.name == "all":
            self._say(*plain_pages.all_lines(self.state, now))
        else:
            self._say(*plain_pages.page_lines(choice.name, self.state, now))

    async def _list(self, name: str) -> None:
        shown = {"audit": self._checks.audit, "skips": self._checks.skips, "release": self._checks.release}
        try:
            await shown[name]()
        except Exception as error:  # noqa: BLE001 (whatever it is, a list that cannot be read says so)
            self.fail(look_fault(error, f"The list of {name}"))

    # State

    async def _listen(self) -> None:
        async with aclosing(self._feed.items()) as items:  # type: ignore[type-var]  # a generator
            async for item in items:
                self.take(item)
                if self.state.was_read:
                    self._was_read.set()

    def take(self, item: Item) -> None:
        """Fold one item in; an alarm that begins or ends, and a run's end, are told at once."""
        before, self.state = self.state, advance(self.state, item, self._clock())
        if not self._was_read.is_set():
            return
        word = self.state.firewall.state
        if word is not before.firewall.state and FirewallWord.BREACH in (word, before.firewall.state):
            found = f", {self.state.firewall.found}" if word is FirewallWord.BREACH else ""
            self._say(f"!! FIREWALL {word}{found}")
        ended = self.state.run is not None and self.state.run.ended
        if ended and before.run is not None and not before.run.ended and self.state.run is not None:
            self._say(f"!! {visible(self.state.run.command)} {visible(self.state.run.outcome)}")
        self._changes.end_arming_when_due()

    # Changes

    async def _arm(self) -> None:
        if self.armed.is_armed:
            self._changes.disarm()
            return
        reason = await self._ask("why? The reason goes to the log; empty changes nothing")
        if reason and reason.strip():
            await self._arm_because(reason)
        else:
            self._changes.decline()

    async def _arm_because(self, reason: str) -> None:
        held = self._changes.arm(reason)
        if held is None:
            return
        self.say(visible(str(held), 200))
        word = await self._ask(
            f"type {TAKE_OVER_WORD} to take control over; anything else changes nothing", afresh=True
        )
        if (word or "").strip() == TAKE_OVER_WORD:
            self._changes.arm(reason, take_over=True)
        else:
            self._changes.decline()

    async def _change(self, action_id: str, subject: str = "") -> None:
        plan = self._changes.plan(action_id, subject)
        if plan is None:
            return
        self._say(*plain_pages.question_lines(plan))
        typed = await self._ask("the code", afresh=True)
        if (typed or "").strip() == plan.code:
            await self._changes.carry_out(plan)
        else:
            self._changes.decline()

    async def _wizard(self) -> None:
        """The wizards, read or answered, in a thread: they wait for lines, and work for a while."""
        loop = asyncio.get_running_loop()

        async def line() -> str | None:
            _drop_typed_ahead()
            return await self._line()

        def out(text: str) -> None:
            loop.call_soon_threadsafe(self._out, text)

        wizards = PlainWizards(
            Path(self.state.workspace),
            out=out,
            ask=lambda: asyncio.run_coroutine_threadsafe(line(), loop).result(),
            permit=self._wizard_permit,
        )
        if not self.armed.is_armed:
            self._say("read-only: wizards can be viewed; arm first to answer them")
        try:
            subjects = await in_thread(lambda: wizards.subjects(self.state.symptoms))
            if not subjects:
                self._say("0 symptoms, and no incident is open")
                return
            self._say(*(f" {number:>2}  {each.words}" for number, each in enumerate(subjects, start=1)))
            typed = (await self._ask("which wizard; anything else opens none") or "").strip()
            if typed.isdecimal() and 1 <= int(typed) <= len(subjects):
                subject = subjects[int(typed) - 1]
                await in_thread(lambda: wizards.open(subject))
        except Exception as error:  # noqa: BLE001 (a runbook that cannot be imported ends no console)
            self._say(*runbook_fault(error).as_lines())

    def _wizard_permit(self) -> Permit | None:
        try:
            return self._operations.permit(keymap.WIZARD_ANSWER)
        except ReadOnlyError:
            return None

    # Lines

    def say(self, text: str, level: str = "info") -> None:
        """One line, and in the log. What nobody asked for stands out between the prompts."""
        self.take(Noted(level, text))
        self._out(text)

    def fail(self, fault: Fault) -> None:
        self._say(*fault.as_lines())

    def now(self) -> float:
        return self._clock()

    def _say(self, *lines: str) -> None:
        for text in lines:
            self._out(text)

    async def _ask(self, what: str, *, afresh: bool = False) -> str | None:
        """One line of input. ``afresh`` drops what was typed ahead on a terminal."""
        if afresh:
            _drop_typed_ahead()
        self._out(f"[{'OPERATE' if self.armed.is_armed else 'read-only'}] {what}:")
        return await self._line()

    async def _line(self) -> str | None:
        typed = await self._typed.get()
        if typed is None:
            self._typed.put_nowait(None)  # the end of input is the end for everybody
        return typed


def _drop_typed_ahead() -> None:
    with suppress(termios.error, ValueError, OSError):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def read_lines(typed: Callable[[str | None], None]) -> None:
    """Hand over each line of standard input, then None. Runs in a thread: files cannot be polled.

    The descriptor is read directly, because a thread that waits inside ``sys.stdin`` would hold
    its lock while the interpreter ends.
    """
    rest = b""
    with suppress(OSError, RuntimeError):  # the loop may be gone when a line comes
        while data := os.read(0, 4096):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                typed(line.decode(errors="replace").rstrip("\r"))
        if rest:
            typed(rest.decode(errors="replace"))
        typed(None)
