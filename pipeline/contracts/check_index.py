"""The index of every check: permanent id, phase, whether it is required, what it proves.

Checks are only ever added. Console and runbook name them by this index alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.contracts.faults import SettingsError

_FREEZE = "release-freeze"


@dataclass(frozen=True)
class CheckSpec:
    """One check. ``command`` runs it; ``zero_fails`` when the presence of rows is the question.

    ``alarm`` marks the one check whose failure is a firewall breach, exit 10.
    """

    id: str
    phase: str
    title: str
    what_it_proves: str
    required: bool = True
    zero_fails: bool = False
    alarm: bool = False
    command: str = "audit-full"

    @property
    def reproduce(self) -> str:
        """The command that asks this one again. The gates of a release are asked together."""
        return f"distill {self.command}" + ("" if self.command == _FREEZE else f" --check {self.id}")


def _acceptance(check_id: str, title: str, what_it_proves: str) -> CheckSpec:
    return CheckSpec(check_id, "P6", title, what_it_proves, command="acceptance")


ACCEPTANCE: tuple[CheckSpec, ...] = (
    _acceptance("A01", "isolated", "Nothing outside the temp root is written."),
    _acceptance(
        "A02",
        "bad-settings-write-nothing",
        "An unknown key, a wrong type, an escaping path: exit 2, and no file.",
    ),
    _acceptance(
        "A03", "golden-rows", "Each schema accepts its valid golden rows and refuses its invalid ones."
    ),
    _acceptance(
        "A04",
        "lines-conserved",
        "Per stream, lines = mapped + skips, every skip with a reason; evidence = the sum of the parts.",
    ),
    _acceptance(
        "A05",
        "hostile-input",
        "The hostile fixture yields exactly the expected skips; no control byte reaches a report.",
    ),
    _acceptance(
        "A06", "provenance-resolves", "Each evidence row's sig_hash is the sha256 of the bytes at its offset."
    ),
    _acceptance(
        "A07", "duplicates-collapse", "Duplicated lines count once, whatever their order or their file."
    ),
    _acceptance("A08", "rerun-idempotent", "A second run changes no output byte and processes no chunk."),
    _acceptance(
        "A09",
        "categories-exact",
        "The fixture yields exactly the expected number in each category.",
    ),
    _acceptance(
        "A10", "thresholds-bite", "Just below and just above each threshold fall on different sides."
    ),
    _acceptance("A11", "override-wins", "A human decision beats every other signal."),
    _acceptance("A12", "contradictions-reviewed", "Contradicting signals go to needs_human_review."),
    _acceptance(
        "A13",
        "firewall-blocks",
        "No rejected or needs_human_review run is in SFT; each of the three walls holds alone. "
        "No item of a test set is in it.",
    ),
    _acceptance(
        "A14",
        "firewall-sees-laundering",
        "Relabelled, re-attributed and copied rows and items of a test set planted in SFT are all found.",
    ),
    _acceptance("A15", "pairs-sound", "Same task, chosen outranks rejected, no self-pair, no equal texts."),
    _acceptance("A16", "rag-clean", "RAG holds only allowed categories."),
    _acceptance("A17", "quarantine-balances", "scored = exported + quarantined, per export."),
    _acceptance(
        "A18",
        "receipts-recompute",
        "Every sha256, row count and byte count in the receipts is recomputed from disk.",
    ),
    _acceptance(
        "A19",
        "run-hash-stable",
        "run_hash is equal under another hash seed, zone, locale, umask, worker count, chunk size and "
        "listing order; one changed byte changes it.",
    ),
    _acceptance(
        "A20",
        "crash-safe",
        "SIGKILL at every commit point, then resume: the run_hash of a whole run; exports all or nothing.",
    ),
    _acceptance(
        "A21", "replay-retrieves", "Replay of a fixture task finds its playbook and passes the validator."
    ),
    _acceptance(
        "A22",
        "replay-rejects",
        "Filler, empty answers and empty retrieval are rejected, each with its reason.",
    ),
)

AUDIT: tuple[CheckSpec, ...] = (
    CheckSpec("P0.recon-doc", "P0", "recon doc", "The recon doc exists and is not empty.", zero_fails=True),
    CheckSpec(
        "P1.versions-pinned", "P1", "versions pinned", "Schema fingerprints equal the lock for their version."
    ),
    CheckSpec(
        "P1.validators-hold",
        "P1",
        "validators hold",
        "The golden rows are accepted and refused as they must be.",
    ),
    CheckSpec(
        "P2.dry-run",
        "P2",
        "dry run",
        "A dry run over the real sources yields rows, and so does every tier-1 stream that has lines.",
        zero_fails=True,
    ),
    CheckSpec(
        "P2.conserves",
        "P2",
        "conserves",
        "Per stream, lines = mapped + joined + skips, and evidence = the sum of the parts.",
    ),
    CheckSpec(
        "P2.provenance",
        "P2",
        "provenance",
        "Every evidence row resolves to its source bytes, and its run_id follows from them.",
    ),
    CheckSpec(
        "P3.distribution",
        "P3",
        "distribution",
        "Scored runs exist, every category is a known one, at least one is accepted.",
        zero_fails=True,
    ),
    CheckSpec(
        "P3.coverage",
        "P3",
        "coverage",
        "Each evidence row has exactly one verdict or a scoring skip; no orphans; one scorer version.",
    ),
    CheckSpec(
        "P4.sft-firewall", "P4", "SFT firewall", "The firewall finds nothing in the SFT file.", alarm=True
    ),
    CheckSpec(
        "P4.preference-pairs",
        "P4",
        "preference pairs",
        "No self-pair, no equal texts, same task, and chosen outranks rejected.",
    ),
    CheckSpec(
        "P4.exports-valid",
        "P4",
        "exports valid",
        "Every exported row validates, ids are unique, RAG holds only allowed categories.",
    ),
    CheckSpec(
        "P4.quarantine-balances", "P4", "quarantine balances", "scored = exported + quarantined, per export."
    ),
    CheckSpec("P5.summary-valid", "P5", "summary valid", "The latest RunSummary validates."),
    CheckSpec(
        "P5.receipts-match",
        "P5",
        "receipts match",
        "Receipts and run_hash recompute from the files on disk.",
    ),
    CheckSpec(
        "P5.journals",
        "P5",
        "journals",
        "What earlier audits read of baselines, replay log, incidents and events is still there; rows that "
        "were appended since are free.",
        required=False,
    ),
    CheckSpec("P6.acceptance", "P6", "acceptance", "The acceptance gate passes 22 of 22."),
    CheckSpec(
        "P7.replay",
        "P7",
        "replay",
        "Retrieval finds a playbook for tasks drawn from the corpus, and the local answer is valid.",
        zero_fails=True,
    ),
)


GateId = Literal["git_clean", "tests", "phase_commits", "acceptance", "audit_full", "tag_free"]


def _gate(check_id: GateId, title: str, what_it_proves: str) -> CheckSpec:
    return CheckSpec(check_id, "P9", title, what_it_proves, command=_FREEZE)


GATES = (
    _gate("git_clean", "clean state", "What is released is what is committed."),
    _gate("tests", "test suite", "The workspace's own contract tests pass."),
    _gate("phase_commits", "phase commits", "Each phase's commit is in the history of HEAD."),
    _gate("acceptance", "acceptance", "22 of 22 invariants hold."),
    _gate("audit_full", "full audit", "Every required check of the audit passes."),
    _gate("tag_free", "free tag", "The tag does not exist yet."),
)

INVARIANTS = tuple(spec.id for spec in ACCEPTANCE)
REQUIRED_CHECKS = tuple(spec.id for spec in AUDIT if spec.required)
SOURCE_PREFIX = "P0.source-"


def required_of(phase: str) -> tuple[str, ...]:
    """The required checks of a phase, in order; without the alarm, which is a symptom by itself."""
    return tuple(spec.id for spec in AUDIT if spec.phase == phase and spec.required and not spec.alarm)


def source_check(stream: str) -> CheckSpec:
    """The informational check of one tier-1 stream."""
    return CheckSpec(
        f"{SOURCE_PREFIX}{stream}",
        "P0",
        f"source {stream}",
        "Present, rows, and the age of the newest line.",
        required=False,
    )


def selected(specs: Sequence[CheckSpec], wanted: Collection[str] | None) -> list[CheckSpec]:
    """The specs called ``wanted`` (all of them for None), in their own order. Raises SettingsError."""
    if wanted is None:
        return list(specs)
    known = {spec.id for spec in specs}
    for name in wanted:
        if name not in known:
            raise SettingsError.of(
                code="unknown_check",
                what_happened=f"There is no check called {name}.",
                kept_safe="Nothing was checked and nothing was written.",
                do_next=f"Name one of: {', '.join(spec.id for spec in specs)}",
                value=name,
            )
    return [spec for spec in specs if spec.id in wanted]
