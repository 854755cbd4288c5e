"""What receipts claim of an output, and whether its bytes are still those: who wrote this file?

A receipt is a claim. Whoever can write the workspace can forge one, so it names a likely cause and
never makes a file clear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.platform.lenient_json import objects_of
from pipeline.reading.past_runs import RunReports
from pipeline.reading.report_files import Notes
from runbook.actions.quarantine import MARK
from runbook.case import Case
from runbook.change.files import prefix_digest, read_bytes, state_of
from runbook.probes.evidence import Evidence, Record, Stance
from runbook.probes.looks import Probe, data_probe
from runbook.probes.workspace import Workspace
from runbook.symptoms.claims import last_change, output_difference, path_of, read_json

PROBE = "receipts"


class Account(Record):
    """One output. ``file`` is where its bytes lie: in place, quarantined, or nowhere.

    ``as_written`` when they are those that the newest receipt claims; ``lines_after`` counts what
    follows them where it still begins with them.
    """

    path: str
    file: str | None
    receipt: str | None
    rows_claimed: int | None = None
    as_written: bool = False
    lines_after: int | None = None
    last_written: str = ""
    owner_uid: int | None = None
    changed_since: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether readers meet it."""
        return self.file == self.path


def accounts_probe(files: Sequence[str]) -> Probe:
    """The probe that finds an ``Account`` a file; ``accounts_in`` reads them back."""

    def find(workspace: Workspace, _seconds: float) -> tuple[list[str], JsonValue]:
        found = [account_of(workspace.root, path) for path in files]
        lines = [line for each in found for line in _lines(each)]
        return lines, [each.model_dump(mode="json") for each in found]

    return data_probe(PROBE, "The files against their receipts", 60.0, find)


def accounts_in(case: Case) -> tuple[Account, ...]:
    """What the probe found; none after one that failed."""
    output = case.outputs.get(PROBE)
    data = output.data if output is not None else None
    return tuple(Account.model_validate(each) for each in data) if isinstance(data, list) else ()


def account_of(root: Path, path: str) -> Account:
    """Raises RefusedError where ``path`` is no plain file, OSError."""
    return account_at(root, path, _lies_at(root, path))


def account_at(root: Path, path: str, file: str | None) -> Account:
    """The same of an output whose bytes lie at ``file``."""
    receipt, claim, inputs = newest_claim(root, path)
    rows = claim.get("rows")
    account = Account(
        path=path,
        file=file,
        receipt=receipt,
        rows_claimed=rows if isinstance(rows, int) else None,
        changed_since=tuple(changed_claims(root, inputs)),
    )
    if account.file is None:
        return account
    state = state_of(root, account.file)
    written, owner = last_change(root / account.file)
    size = claim.get("bytes")
    after = None
    if isinstance(size, int) and 0 < size < (state.bytes or 0):
        begins = prefix_digest(root, account.file, size) == claim.get("sha256")
        after = len(read_bytes(root, account.file)[size:].splitlines()) if begins else None
    return account.model_copy(
        update={
            "as_written": bool(claim) and claim.get("sha256") == state.sha256,
            "lines_after": after,
            "last_written": written,
            "owner_uid": owner,
        }
    )


def _lies_at(root: Path, path: str) -> str | None:
    """In place, or under the newest name that a quarantine gave it."""
    if not state_of(root, path).is_absent:
        return path
    return next(quarantined(root, path), None)


def quarantined(root: Path, path: str) -> Iterator[str]:
    """The names that quarantines gave it, the newest first."""
    place = Path(path)
    folder = root / place.parent
    names = sorted(each.name for each in folder.glob(f"{place.name}{MARK}*")) if folder.is_dir() else []
    return (str(place.with_name(name)) for name in reversed(names))


def told_by_account(account: Account, read_at: float) -> Evidence:
    """Who wrote the file, as one fact: FOR says somebody else, AGAINST says the run itself."""
    stance, says = Stance.FOR, f"The bytes of {account.path} are not those that the receipt claims."
    if account.file is None:
        stance, says = Stance.UNKNOWN, f"There is no {account.path}."
    elif account.as_written:
        stance, says = Stance.AGAINST, f"The bytes of {account.path} are those that the receipt claims."
    elif account.lines_after is not None:
        claimed = plural(account.rows_claimed or 0, "row")
        says = (
            f"{account.path} begins with what the receipt claims, {claimed}; "
            f"{plural(account.lines_after, 'line')} after that no receipt accounts for."
        )
    elif account.receipt is None:
        says = f"No receipt of a finished run claims {account.path}."
    lines = (f"last written {account.last_written}, user id {account.owner_uid}",) if account.file else ()
    return Evidence.of(stance, says, account.receipt or str(paths.REPORTS), read_at, lines)


def newest_claim(root: Path, path: str) -> tuple[str | None, dict[str, Any], list[dict[str, Any]]]:
    """An export's receipt, its claim of ``path``, its inputs: of the run that committed last, whatever the
    clock said when it was named.
    """
    for name in RunReports(root).newest_first(Notes()):
        receipt = str(paths.receipts_folder(name) / "export.json")
        value = read_json(root, receipt)
        if value.get("ok") is not True:
            continue
        for claim in objects_of(value, "outputs"):
            if claim.get("path") == path:
                return receipt, claim, objects_of(value, "inputs")
    return None, {}, []


def changed_claims(root: Path, claims: Sequence[dict[str, Any]]) -> list[str]:
    """Files that are not what they were when they were claimed."""
    return [path for claim in claims if (path := path_of(claim)) and output_difference(root, claim)]


def _lines(account: Account) -> list[str]:
    says = told_by_account(account, 0.0)
    since = [f"{path} changed since the export was made" for path in account.changed_since]
    return [says.says, *says.lines, *since]
