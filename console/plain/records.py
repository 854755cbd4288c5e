"""The runbook and the incidents at the plain console: numbered lists, and a page for each line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.live.daemon_work import in_thread
from console.plain.pages import symptom_page
from console.plain.status import WIDTH, texts
from console.presentation import incident_list, incident_replay, runbook_list
from console.presentation.spans import Line, line, plain_text
from console.reading.incident_chains import ChainChecks
from console.reading.incident_record import IncidentRecord, read_record, standing_at
from pipeline.contracts.untrusted import visible
from pipeline.reading.incidents import read_incidents
from pipeline.reading.report_files import Notes

if TYPE_CHECKING:
    from console.state.view_state import ViewState

_NUMBER = 4


@dataclass(frozen=True)
class PlainRecords:
    """``ask`` prints what is asked and gives one line (None at the end of input)."""

    state: Callable[[], ViewState]
    now: Callable[[], float]
    say: Callable[[str], None]
    ask: Callable[[str], Awaitable[str | None]]
    export: Callable[[str], Awaitable[None]]

    async def runbook(self) -> None:
        """Every symptom, numbered; a number prints its page. An empty line goes back."""
        while True:
            state, now = self.state(), self.now()
            head = [runbook_list.look_line(state.runbook, now, WIDTH)]
            head += [_plain(text) for text in state.runbook.trouble[1:]]
            rows: list[tuple[str | None, Line]] = []
            for group in runbook_list.grouped(state.symptoms, state.runbook, now, WIDTH - _NUMBER):
                rows.append((None, _plain(group.title)))
                rows += group.items
            chosen = await self._choose(head, rows, "a number for its page; empty goes back")
            if chosen is None:
                return
            self._tell(symptom_page(chosen, self.state(), self.now()))

    async def incidents(self) -> None:
        """Every incident, numbered; a number replays it. An empty line goes back."""
        root = Path(self.state().workspace)
        chains = ChainChecks(root)
        while True:
            notes = Notes()
            found = await in_thread(lambda: read_incidents(root, notes))  # noqa: B023 (awaited here)
            broken = await in_thread(lambda: chains.broken(each.id for each in found))  # noqa: B023 (as above)
            rows: list[tuple[str | None, Line]] = []
            for group in incident_list.grouped(found, broken):
                rows.append((None, _plain(group.title)))
                for each in group.items:
                    width = WIDTH - _NUMBER
                    spans = incident_list.incident_line(each, self.now(), width, is_broken=each.id in broken)
                    rows.append((each.id, spans))
            head = [_plain(f"note: {text}") for text in notes.lines]
            if not found:
                self._tell(texts(incident_list.nothing_lines()))
                return
            chosen = await self._choose(head, rows, "a number to replay it; empty goes back")
            if chosen is None:
                return
            await self._replay(root, chosen)

    async def _replay(self, root: Path, incident_id: str) -> None:
        record = await in_thread(lambda: read_record(root, incident_id))
        number = len(record.entries)
        self._show(record, number)
        while True:
            typed = await self.ask(
                "n next, p previous, or an entry's number; o hand-over, x export, u undo; empty goes back"
            )
            word = (typed or "").strip().casefold()
            if not word:
                return
            if word in ("n", "p") or word.isdecimal():
                step = {"n": number + 1, "p": number - 1}
                number = max(1, min(step[word] if word in step else int(word), len(record.entries)))
                self._show(record, number)
            elif word == "o":
                self._tell(texts(incident_replay.page_lines(record, WIDTH)))
            elif word == "x":
                await self.export(incident_id)
            elif word == "u":
                self._undo(record)
            else:
                self.say(f"no such choice: {visible(word, 40)}")

    def _show(self, record: IncidentRecord, number: int) -> None:
        standing = standing_at(record, number) if record.entries else None
        lines = incident_replay.replay_lines(record, number, standing, self.now(), WIDTH, 0)
        self._tell([*texts(lines), f" {incident_replay.show_command(record.id, self.state().workspace)}"])

    def _undo(self, record: IncidentRecord) -> None:
        if record.can_undo:
            self.say(f" it previews first: {incident_replay.undo_command(record.id, self.state().workspace)}")
        else:
            self.say("nothing in this incident can be taken back")

    async def _choose(
        self, head: Sequence[Line], rows: Sequence[tuple[str | None, Line]], what: str
    ) -> str | None:
        """Print the rows, numbered; the one that was chosen. None for an empty line."""
        keys = [key for key, _ in rows if key is not None]
        self._tell(texts(list(head)))
        number = 0
        for key, spans in rows:
            number += key is not None
            label = f"{number:>3}" if key is not None else ""
            self.say(f"{label:<{_NUMBER}}{visible(plain_text(spans).rstrip())}")
        while True:
            typed = ((await self.ask(what)) or "").strip()
            if not typed:
                return None
            if typed.isdecimal() and 1 <= int(typed) <= len(keys):
                return keys[int(typed) - 1]
            self.say(f"no such choice: {visible(typed, 40)}")

    def _tell(self, lines: Sequence[str]) -> None:
        for text in lines:
            self.say(text)


def _plain(text: str) -> Line:
    return line(f" {text}")
