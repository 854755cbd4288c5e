"""The name of every file in a workspace, as pure paths relative to its root.

These paths are a contract with operators' scripts: add, do not rename.
"""

from __future__ import annotations

from pathlib import PurePosixPath

SETTINGS = PurePosixPath("distill.toml")
# The git tag to which wizards restore, where the settings name no other.
DEFAULT_TAG = "distillation-v1.0.0"
RECON_DOC = PurePosixPath("docs/recon/local-distillation-recon.md")
# Beside it, tracked as it is: what operators accepted about sources that have no rows.
SOURCE_NOTES = PurePosixPath("docs/recon/source-notes.jsonl")

KNOWLEDGE_BASE = PurePosixPath("data/_kb")
DISTILLATION_SKIPS = KNOWLEDGE_BASE / "distillation_skips.jsonl"
SCORING_SKIPS = KNOWLEDGE_BASE / "scoring_skips.jsonl"
AUDIT_BASELINES = KNOWLEDGE_BASE / "audit_baselines.jsonl"
REPLAY_RUNS = KNOWLEDGE_BASE / "replay_runs.jsonl"
# Journals and their archives (``name.archive.*``) are never matched by a stream's glob.
JOURNAL_STEMS = ("distillation_skips", "scoring_skips", "audit_baselines", "replay_runs")

EVIDENCE = PurePosixPath("data/evidence")
SCORED_RUNS = PurePosixPath("data/scored-runs")

EXPORTS = PurePosixPath("exports")
RAG_EXPORT = EXPORTS / "rag/playbooks.jsonl"
SFT_EXPORT = EXPORTS / "sft/instruction_response.jsonl"
PREFERENCE_EXPORT = EXPORTS / "preference/chosen_rejected.jsonl"
QUARANTINE = EXPORTS / "quarantine"
RAG_QUARANTINE = QUARANTINE / "rag.jsonl"
SFT_QUARANTINE = QUARANTINE / "sft.jsonl"
PREFERENCE_QUARANTINE = QUARANTINE / "preference.jsonl"
EXPORT_FILES = {"rag": RAG_EXPORT, "sft": SFT_EXPORT, "preference": PREFERENCE_EXPORT}
QUARANTINE_FILES = {"rag": RAG_QUARANTINE, "sft": SFT_QUARANTINE, "preference": PREFERENCE_QUARANTINE}
FORMATTED = EXPORTS / "formatted"
# What accounts for the files of formatted folders: not in them, where a loader would read it.
FORMAT_RECEIPTS = EXPORTS / "receipts"
EXPORT_MANIFEST = EXPORTS / "manifest.json"
DECONTAMINATION = EXPORTS / "decontamination.json"
# One report an export, as each is written by a task of its own.
NEAR_DUPLICATE_REPORTS = {
    "rag": EXPORTS / "near_duplicates_rag.json",
    "sft": EXPORTS / "near_duplicates.json",
    "preference": EXPORTS / "near_duplicates_preference.json",
}
DATASET_CARD = EXPORTS / "README.md"

REPORTS = PurePosixPath("reports/distillation")
# Each report as a page, as data beside it, and the events of the command that makes it.
ACCEPTANCE_REPORT = REPORTS / "phase6-acceptance-report.md"
ACCEPTANCE_DATA = ACCEPTANCE_REPORT.with_suffix(".json")
ACCEPTANCE_EVENTS = REPORTS / "phase6-acceptance-events.jsonl"
AUDIT_REPORT = REPORTS / "phase8-full-audit-report.md"
AUDIT_DATA = AUDIT_REPORT.with_suffix(".json")
AUDIT_EVENTS = REPORTS / "phase8-full-audit-events.jsonl"
RELEASE_FREEZE = REPORTS / "release-freeze.md"
RELEASE_FREEZE_DATA = RELEASE_FREEZE.with_suffix(".json")
RELEASE_FREEZE_EVENTS = REPORTS / "release-freeze-events.jsonl"
RELEASE_MANIFEST = REPORTS / "release-manifest.json"
DETERMINISM_REPORT = REPORTS / "determinism.json"
INCIDENTS = PurePosixPath("reports/incidents")
# What detectors said when they looked last, and since when what shows has been seen.
SYMPTOM_LOG = PurePosixPath("reports/symptoms.jsonl")
# What audits read of the journals, for the next one to hold them to.
JOURNAL_MEMORY = PurePosixPath("reports/journals.jsonl")

# Everything below here can be made again.
STATE = PurePosixPath(".distill")
LOCK = STATE / "lock"
RUN_STATE = STATE / "state.json"
INTENT = STATE / "intent.json"
STAGING = STATE / "staging"
CHUNK_CACHE = STATE / "cache"
LEDGERS = STATE / "ledgers"
SPOOL = STATE / "spool"
JOBS = STATE / "jobs"
LAST_CLEAR = STATE / "last-clear.json"
STAGED_LOOK = STATE / "staged-look"
KEPT_CLEAR = STATE / "kept-clear.json"

# A contaminated export that was moved aside: ``<its name>.QUARANTINED-<epoch>``.
QUARANTINE_MARK = ".QUARANTINED-"


def evidence_file(stream: str) -> PurePosixPath:
    return EVIDENCE / f"{stream}.jsonl"


def scored_file(stream: str) -> PurePosixPath:
    return SCORED_RUNS / f"{stream}.jsonl"


def run_folder(pipeline_run_id: str) -> PurePosixPath:
    return REPORTS / pipeline_run_id


def summary_file(pipeline_run_id: str) -> PurePosixPath:
    return run_folder(pipeline_run_id) / "summary.json"


def receipts_folder(pipeline_run_id: str) -> PurePosixPath:
    return run_folder(pipeline_run_id) / "receipts"


def kept_export(pipeline_run_id: str, export: PurePosixPath | str) -> PurePosixPath:
    """Where a run keeps the bytes of an export that it must not lose: it stood in breach."""
    return run_folder(pipeline_run_id) / "standing" / export


def kept_answer(pipeline_run_id: str, export: PurePosixPath | str) -> PurePosixPath:
    """What the firewall said of an export that stood when the run began."""
    return run_folder(pipeline_run_id) / "standing" / f"{export}.firewall.json"


def events_file(pipeline_run_id: str) -> PurePosixPath:
    return run_folder(pipeline_run_id) / "events.jsonl"
