"""A contaminated SFT export: what its receipt says of it, why it may be so, what speaks for and against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from pipeline.contracts import paths
from runbook.change.files import state_of
from runbook.probes.code_history import ChangedFile, CodeHistory
from runbook.probes.evidence import Confidence, Evidence, ProbeOutput, Stance
from runbook.probes.looks import Probe
from runbook.probes.workspace import Workspace
from runbook.symptoms.code_evidence import code_evidence
from runbook.symptoms.receipt_claims import account_at, quarantined
from runbook.symptoms.s1_p4_sft_leak.define import OTHER_WRITER, OWN_WALLS, SFT, STALE, UNKNOWN, WALLS

PROBE = "receipts"


def receipts_probe(sha256: str | None, files: Sequence[str]) -> Probe:
    """Compare the export with the newest receipt that claims it.

    ``sha256`` is what the firewall read: by it the bytes are found again after a quarantine.
    ``files`` are those with findings; ``standing`` tells which of them readers still meet.
    """

    def look(workspace: Workspace, _seconds: float) -> ProbeOutput:
        data = _compared(workspace.root, sha256, files)
        return ProbeOutput(
            probe_id=PROBE,
            title="The export against its receipt",
            text="\n".join(f"{name}: {value}" for name, value in data.items()),
            data=data,
        )

    return Probe(PROBE, "The export against its receipt", 30.0, look)


def _compared(root: Path, sha256: str | None, files: Sequence[str]) -> dict[str, JsonValue]:
    account = account_at(root, SFT, _where(root, sha256))
    return {
        **account.model_dump(mode="json", exclude={"path"}),
        "standing": [name for name in files if not state_of(root, name).is_absent],
        "begins_as_written": account.lines_after is not None,
    }


def _where(root: Path, sha256: str | None) -> str | None:
    """The export, or the name under which just these bytes are quarantined."""
    if not state_of(root, SFT).is_absent and state_of(root, SFT).sha256 == sha256:
        return SFT
    return next((path for path in quarantined(root, SFT) if state_of(root, path).sha256 == sha256), None)


def walls_of(history: CodeHistory) -> tuple[ChangedFile, ...]:
    """What changed of schemas, exporters and the engine's walls."""
    return tuple(each for each in history.files if each.phase in ("P1", "P4") or each.path in OWN_WALLS)


def told_wall(file: ChangedFile) -> str:
    """Which wall, where, by whom, and what the first changed constant was and is."""
    wall = OWN_WALLS.get(file.path, "beside the walls")
    change = next((f": {each.before} → {each.after}" for each in file.constants), "")
    return f"{wall}: {file.told}{change}"


def judged(seen: Mapping[str, JsonValue], walls: Sequence[ChangedFile]) -> tuple[str, Confidence]:
    if seen.get("file") is None:
        return UNKNOWN, Confidence.UNKNOWN
    if seen.get("as_written"):
        if seen.get("changed_since"):
            return STALE, Confidence.CERTAIN
        if not walls:
            return UNKNOWN, Confidence.UNKNOWN
        own = any(each.path in OWN_WALLS for each in walls)
        return WALLS, Confidence.CERTAIN if own else Confidence.LIKELY
    return OTHER_WRITER, Confidence.CERTAIN if seen.get("begins_as_written") else Confidence.LIKELY


def evidence_for(
    seen: Mapping[str, JsonValue], output: ProbeOutput, history: CodeHistory
) -> dict[str, tuple[Evidence, ...]]:
    """For each cause what speaks for and against it; of bytes that are gone nothing can be said."""

    def fact(stance: Stance, says: str, lines: tuple[str, ...] = ()) -> Evidence:
        return Evidence.of(stance, says, source, output.read_at, lines)

    source = str(seen.get("receipt") or paths.REPORTS)
    if seen.get("file") is None:
        gone = (
            fact(
                Stance.UNKNOWN, output.trouble or "The bytes that the firewall read are not there any more."
            ),
        )
        return dict.fromkeys((STALE, OTHER_WRITER, WALLS, UNKNOWN), gone)
    written = bool(seen.get("as_written"))
    changed = seen.get("changed_since")
    moved = tuple(str(path) for path in changed) if isinstance(changed, list) else ()
    by_run = fact(Stance.FOR, "Its bytes are those that the receipt claims.")
    if seen.get("begins_as_written"):
        by_other = fact(
            Stance.FOR,
            f"It begins with the {seen.get('rows_claimed')} rows that the receipt claims; "
            f"{seen.get('lines_after')} lines follow that no receipt accounts for.",
        )
    elif seen.get("receipt") is None:
        by_other = fact(Stance.FOR, "No receipt of a finished export claims it.")
    else:
        by_other = fact(Stance.FOR, "Its bytes are not those that the receipt claims.")
    last = fact(
        Stance.FOR, f"Last written {seen.get('last_written')}; it belongs to user id {seen.get('owner_uid')}."
    )
    rescored = fact(Stance.FOR, "Evidence or verdicts changed since that export.", moved)
    settled = fact(Stance.FOR, "Evidence and verdicts are those that the export was made from.")
    code = code_evidence(history, walls_of(history), "Schemas and exporters", output.read_at)
    return {
        STALE: (
            by_run if written else by_other.turned,
            rescored if moved else settled.turned,
        ),
        OTHER_WRITER: (by_run.turned,) if written else (by_other, last),
        WALLS: (by_run if written else by_other.turned, *code),
        UNKNOWN: (by_run, settled, *code) if written else (by_other,),
    }
