"""The dataset card: what the exports hold, where it came from, what to be careful about.

Pure: facts in, Markdown out, the same facts always give the same bytes. Names in it may come
from logs, so every one passes through ``_cell`` or ``_yaml``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.finding_words import CHECKED, evaluation_in_words
from pipeline.contracts.untrusted import visible

_MODELS_SHOWN = 20
_NAME_CHARACTERS = 80
# What is markup inside a line; a colon, so that no address becomes a link by itself.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|&~:])")


@dataclass
class ExportFacts:
    """What was counted in one export and its quarantine."""

    rows: int = 0
    tokens: int = 0
    splits: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    streams: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def take(self, row: Mapping[str, Any]) -> None:
        """Count one exported row, of any of the three exports."""
        self.rows += 1
        self.tokens += row["estimated_tokens"]
        self.splits[row["split"]] += 1
        self.streams[row["stream"]] += 1
        self.categories[row.get("quality_score") or row.get("source_category") or row["reason"]] += 1
        for key in ("model_name", "chosen_model_name", "rejected_model_name"):
            if key in row:
                self.models[row[key] or "(not recorded)"] += 1


def dataset_card(
    name: str,
    summary: Mapping[str, Any],
    exports: Mapping[str, ExportFacts],
    licences: Mapping[str, str | None],
    decontamination: Mapping[str, Any] | None = None,
) -> str:
    """The text of ``exports/README.md``. ``licences`` maps each source stream to its licence.

    ``decontamination`` is the report of ``exports/decontamination.json``, None where the run made none.
    """
    sections = [
        _front_matter(name, licences),
        f"# {_cell(name)}\n\n{_INTRODUCTION}",
        "## Made by\n\n" + _facts_of_run(summary),
        "## What is in it\n\n" + _export_table(exports),
        "## By stream\n\n" + _stream_table(summary, exports, licences),
        "## By model\n\n" + _model_table(exports),
        "## What was refused\n\n" + _refusal_table(exports),
        "## Evaluation sets\n\n" + _evaluation_sets(decontamination),
        _LINEAGE,
        _LIMITS,
    ]
    return "\n\n".join(sections) + "\n"


def _cell(text: str) -> str:
    """Data as plain text in Markdown: hidden characters shown, markup disarmed, one line."""
    return _MARKDOWN.sub(r"\\\1", visible(text, _NAME_CHARACTERS))


def _yaml(text: str) -> str:
    """Data as a YAML scalar. A JSON string is one, whatever it holds."""
    return json.dumps(visible(text, _NAME_CHARACTERS))


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---", *("---:" for _ in header[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _most_first(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _front_matter(name: str, licences: Mapping[str, str | None]) -> str:
    known = sorted({licence for licence in licences.values() if licence})
    lines = ["---", f"pretty_name: {_yaml(name)}", "license:"]
    lines += [f"- {_yaml(licence)}" for licence in known or ["unknown"]]
    lines.append("configs:")
    for export, path in paths.EXPORT_FILES.items():
        lines += [f"- config_name: {export}", f"  data_files: {path.relative_to(paths.EXPORTS)}"]
    return "\n".join([*lines, "---"])


def _facts_of_run(summary: Mapping[str, Any]) -> str:
    git = summary["git"] or {}
    commit = git.get("head") or "none"
    facts = (
        ("run", summary["pipeline_run_id"]),
        ("run_hash", summary["run_hash"]),
        ("recorded at", summary["recorded_at"]),
        ("settings digest", summary["settings_digest"]),
        ("engine", f"{summary['engine']['version']}, source digest {summary['engine']['digest']}"),
        ("commit of the workspace", f"{commit}{' with local changes' if git.get('dirty') else ''}"),
    )
    rows = "\n".join(f"| {label} | {_cell_of_digest(value)} |" for label, value in facts)
    return f"| | |\n| --- | --- |\n{rows}\n\n{_RUN_HASH}"


def _cell_of_digest(text: str) -> str:
    """Longer than a name may be: digests are shown whole, so that they can be compared."""
    return _MARKDOWN.sub(r"\\\1", visible(text))


def _export_table(exports: Mapping[str, ExportFacts]) -> str:
    rows = []
    for export, facts in exports.items():
        kinds = ", ".join(f"{_cell(kind)} {count:,}" for kind, count in _most_first(facts.categories))
        rows.append(
            [
                f"`{paths.EXPORT_FILES[export].relative_to(paths.EXPORTS)}`",
                f"{facts.rows:,}",
                f"{facts.splits['train']:,}",
                f"{facts.splits['validation']:,}",
                f"{facts.tokens:,}",
                kinds or "none",
            ]
        )
    return _table(["export", "rows", "train", "validation", "tokens (estimated)", "of which"], rows)


def _stream_table(
    summary: Mapping[str, Any], exports: Mapping[str, ExportFacts], licences: Mapping[str, str | None]
) -> str:
    rows = []
    for stream, counts in summary["streams"].items():
        if stream not in licences:
            continue
        rows.append(
            [
                _cell(stream),
                *(f"{counts[key]:,}" for key in ("lines", "evidence", "accepted", "partially_accepted")),
                *(f"{counts[key]:,}" for key in ("needs_human_review", "rejected")),
                *(f"{facts.streams[stream]:,}" for facts in exports.values()),
                _cell(licences[stream] or "not stated"),
            ]
        )
    header = ["stream", "lines", "evidence", "accepted", "partly", "review", "rejected", *exports, "licence"]
    return _table(header, rows)


def _model_table(exports: Mapping[str, ExportFacts]) -> str:
    total: Counter[str] = Counter()
    for facts in exports.values():
        total.update(facts.models)
    shown = _most_first(total)[:_MODELS_SHOWN]
    rows = [[_cell(model), *(f"{facts.models[model]:,}" for facts in exports.values())] for model, _ in shown]
    table = _table(["model", *exports], rows)
    hidden = len(total) - len(shown)
    return table + (f"\n\n{hidden:,} further models are not shown." if hidden > 0 else "")


def _refusal_table(exports: Mapping[str, ExportFacts]) -> str:
    reasons: Counter[str] = Counter()
    for facts in exports.values():
        reasons.update(facts.refused)
    rows = [
        [f"`{reason}`", *(f"{facts.refused[reason]:,}" for facts in exports.values())]
        for reason, _ in _most_first(reasons)
    ]
    return _table(["reason", *exports], rows) + "\n\n" + _REFUSALS


def _evaluation_sets(report: Mapping[str, Any] | None) -> str:
    if report is None or not report["checked"]:
        return _NOT_CHECKED
    kept = Counter(row["set"] for row in report["rows"] if not row["refused"])
    rows = [
        [
            _cell(one["name"]),
            *(f"{one[key]:,}" for key in ("items", "sides", "sides_too_short", "rows_refused")),
            f"{kept[one['name']]:,}",
        ]
        for one in report["sets"]
    ]
    header = ["set", "items", "texts", "too short to find", "runs refused", "runs kept that share 13 words"]
    refused = sum(one["rows_refused"] for one in report["sets"])
    count = len(report["sets"])
    said = evaluation_in_words(CHECKED, count, refused, {}).capitalize()
    return f"{said}.\n\n{_table(header, rows)}\n\n{_CHECKED}"


_NOT_CHECKED = """\
Evaluation sets: **not checked**, none is declared. Rows of a test set may be among these; nothing looked
for them (`[[evaluation]]` in `distill.toml` declares what must not be trained on)."""

_CHECKED = """\
`sft` and `preference` hold none of the refused runs; `rag` may. `decontamination.json` names each run, the
item and how much of it was found. Only these sets were looked for."""

_INTRODUCTION = """\
Training data distilled from the run logs of agents and models: playbooks for retrieval (`rag`),
instruction and response rows (`sft`), and chosen and rejected answers (`preference`). Only runs
that were accepted or partially accepted are in `rag` and `sft`."""

_RUN_HASH = """\
The run hash covers what was produced (rows, counts, settings) and nothing that varies with the
machine: the same sources and settings give the same hash."""

_REFUSALS = """\
Every scored run is either exported or in `quarantine/` with one of these reasons. For
preferences a row is a pair, and both of its runs count as used."""

_LINEAGE = """\
## Lineage

Each row names its run (`source_run_id`, or `chosen_run_id` and `rejected_run_id`) and carries in
`provenance` the source file, line, byte offset and the SHA-256 of the source line. From the
workspace, `distill lineage ID` prints the chain down to the bytes of that line. `split` is decided
by a hash of stream and task, so that all attempts of a task are on one side."""

_LIMITS = """\
## Limits

- Verdicts come from the logs themselves (rewards, tests, human judgements). Nothing was judged again.
- Token counts are estimates: bytes of UTF-8 divided by four, and four tokens a message.
- Credentials are found by the fixed formats of well-known services. A password in prose is not.
- Personal data is not looked for.
- Logs of public benchmarks contain the benchmark. A model that is scored on it must not be trained on it.
- Some answers come from models whose terms restrict training on their output. Ask before you do."""
