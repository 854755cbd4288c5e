"""The runbook and the incidents at the plain console: numbered lists, and a page for each line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from console.live.daemon_work import in_thread
from console.plain.numbered import NUMBER, Numbered, plain
from console.plain.pages import symptom_page
from console.plain.status import WIDTH, texts
from console.presentation import incident_list, incident_replay, runbook_list
from console.presentation.spans import Line
from console.reading.incident_chains import ChainChecks
from console.reading.incident_record import IncidentRecord, read_record, standing_at
from pipeline.contracts import paths
from pipeline.contracts.untrusted import visible
from pipeline.reading.incidents import read_incidents
from pipeline.reading.report_files import Notes


@dataclass(frozen=True)
class PlainRecords(Numbered):
    export: Callable[[str], Awaitable[None]]

    async def runbook(self) -> None:
        """Every symptom, numbered; a number prints its page. An empty line goes back."""
        while True:
            state, now = self.state(), self.now()
            head = [runbook_list.look_line(state.runbook, now, WIDTH)]
            head += [plain(text) for text in state.runbook.trouble[1:]]
            rows: list[tuple[str | None, Line]] = []
            for group in runbook_list.grouped(state.symptoms, state.runbook, now, WIDTH - NUMBER):
                rows.append((None, plain(group.title)))
                rows += group.items
            chosen = await self.choose(head, rows, "a number for its page; empty goes back")
            if chosen is None:
                return
            self.tell(symptom_page(chosen, self.state(), self.now()))

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
                rows.append((None, plain(group.title)))
                for each in group.items:
                    width = WIDTH - NUMBER
                    spans = incident_list.incident_line(each, self.now(), width, is_broken=each.id in broken)
                    rows.append((each.id, spans))
            head = [plain(f"note: {text}") for text in notes.lines]
            if not found:
                unread = notes.unreadable.get(str(paths.INCIDENTS), "")
                self.tell(texts(incident_list.nothing_lines(unread)))
                return
            chosen = await self.choose(head, rows, "a number to replay it; empty goes back")
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
                self.tell(texts(incident_replay.page_lines(record, WIDTH)))
            elif word == "x":
                await self.export(incident_id)
            elif word == "u":
                self._undo(record)
            else:
                self.say(f"no such choice: {visible(word, 40)}")

    def _show(self, record: IncidentRecord, number: int) -> None:
        standing = standing_at(record, number) if record.entries else None
        lines = incident_replay.replay_lines(record, number, standing, self.now(), WIDTH, 0)
        self.tell([*texts(lines), f" {incident_replay.show_command(record.id, self.state().workspace)}"])

    def _undo(self, record: IncidentRecord) -> None:
        if record.can_undo:
            self.say(f" it previews first: {incident_replay.undo_command(record.id, self.state().workspace)}")
        else:
            self.say("nothing in this incident can be undone")
