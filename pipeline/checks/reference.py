"""The page on checks, made from their index and from the record of faults that the tests keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.contracts.check_index import ACCEPTANCE, AUDIT, SOURCE_PREFIX, CheckSpec

_INTRODUCTION = """\
# Checks

Made by `make pages` from the index of checks and the tests' record of
faults. Every check has a permanent id, is required or informational, and reports a status, how
much it examined, how much of that failed, its threshold, what was observed, a detail, up to ten
examples with their place, and the command that runs it alone.

| status | meaning |
|---|---|
| `pass` | it examined something, and nothing failed |
| `fail` | content is missing, cannot be parsed, or contradicts a claim |
| `warn` | worth a look; does not change the exit code, but for `--fail-on warn` |
| `info` | an informational check that found what it looks for |
| `error` | it could not be evaluated: our own exception, a permission, a disk, a time-out |
| `not_evaluated` | a required check that examined nothing; never a pass |

Where the presence of rows is itself the question, nothing examined is a `fail`: these checks are
marked ∅. The exit code is that of the worst required check: a failed `P4.sft-firewall` is the
alarm, 10; then 1 for a `fail`, 3 for an `error`, 5 for `not_evaluated`, else 0. One check that
raises does not keep the others from running.
"""

_AUDIT = """\
## audit-full: P0 to P7 on the real data

`distill audit-full` recomputes everything from the files: sources are read and mapped again,
rows, digests and counts are counted again, the firewall and the acceptance gate are asked as
processes of their own. Receipts are compared, never believed. It takes no lock but shares the
workspace: while a run is in progress it ends with 75, and a run that starts meanwhile has to wait.
`--check ID` runs one check (it may be repeated) and writes no report. `--acceptance-report PATH`
uses a report of `distill acceptance` by the same engine instead of running the gate again.
`--no-append` leaves the baselines alone. Checks share what is read once, and the first that needs
it is charged for it: the scan of the sources shows in the seconds of the first check on them.

The report is `reports/distillation/phase8-full-audit-report.md` with a `.json` twin; the events
lie beside it in `phase8-full-audit-events.jsonl`.
"""

_SOURCES = """\
Informational, one for each tier-1 source stream: `P0.source-<stream>` says whether the stream's
files are present, how many lines they have and how old the newest is; without a line it warns.
A source that was moved away since it was read is `source_gone`: its evidence stands on the
recorded digest, and the checks that count it say so.
"""

_ACCEPTANCE = """\
## acceptance: P6 on the fixture

`distill acceptance` runs the engine on the shipped fixture in a temp root of its own. All 22 are
required. `--check ID` runs one.
"""

_FAULTS = """\
## Faults and what sees them

Each fault was planted into a fresh copy of a small audited workspace, and the audit run on it, by
`{tests}`. A letter marks what a check said: **F** fail,
**E** error, **W** warn, **N** not evaluated; an empty field is a pass. Columns without a letter
are left out: {unseen}.

Faults of the data were audited with a handed-on report of 22 passes, since the gate runs on the
fixture and does not see them. For the faults of the engine (the last ones) the gate was asked for
the invariants that the edit concerns; which of the 22 each broken engine turns red, and that the
others stay green, is what `tests/mutants` shows.
"""

_LETTERS = {"fail": "F", "error": "E", "warn": "W", "not_evaluated": "N"}


def page(faults: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole page, the same text every time. ``faults`` is the tests' record, by name."""
    sections = [
        _INTRODUCTION,
        _AUDIT,
        _table(AUDIT),
        _SOURCES,
        _ACCEPTANCE,
        _table(ACCEPTANCE),
        *_fault_table(faults),
    ]
    return "\n".join(sections)


def _table(specs: Sequence[CheckSpec]) -> str:
    lines = ["| id | check | what it proves |", "|---|---|---|"]
    for spec in specs:
        marks = f"{' ∅' if spec.zero_fails else ''}{' **alarm**' if spec.alarm else ''}"
        lines.append(f"| `{spec.id}` | {spec.title}{marks} | {spec.what_it_proves} |")
    return "\n".join([*lines, ""])


def _fault_table(faults: Mapping[str, Mapping[str, Any]]) -> list[str]:
    seen = {check for fault in faults.values() for check in fault["checks"]}
    columns = [spec.id for spec in AUDIT if spec.id in seen]
    columns += sorted(check for check in seen if check.startswith(SOURCE_PREFIX))
    unseen = [f"`{spec.id}`" for spec in AUDIT if spec.id not in seen]
    lines = [
        f"| fault | {' | '.join(f'`{column}`' for column in columns)} | drift | exit |",
        f"|---|{':-:|' * len(columns)}---|---:|",
    ]
    for fault in faults.values():
        marks = [_LETTERS.get(fault["checks"].get(column, ""), "") for column in columns]
        drift = f"{len(fault['drift'])} warn" if fault["drift"] else ""
        lines.append(f"| {fault['title']} | {' | '.join(marks)} | {drift} | {fault['exit_code']} |")
    said = _FAULTS.format(tests="tests/pipeline/audit/test_faults.py", unseen=", ".join(unseen) or "none")
    return [said, "\n".join([*lines, ""])]
