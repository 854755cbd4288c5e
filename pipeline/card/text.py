"""The text of the card. Pure: facts in, Markdown out, the same facts always give the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pipeline.card.context import CardContext
from pipeline.card.evaluation import evaluation_sets
from pipeline.card.facts import ExportFacts
from pipeline.card.front_matter import front_matter
from pipeline.card.markdown import cell, cell_of_digest, counted, most_first, table
from pipeline.contracts import paths
from pipeline.contracts.lint import RewardHack
from pipeline.contracts.plurals import plural, with_verb

_MODELS_SHOWN = 20
_REWARD_HACKS = tuple(sign.value for sign in RewardHack)
NOT_CHECKED = "*not checked*"


def dataset_card(
    name: str,
    summary: Mapping[str, Any],
    exports: Mapping[str, ExportFacts],
    context: CardContext,
) -> str:
    """The text of ``exports/README.md``. ``context.licences`` names each source stream."""
    sections = [
        front_matter(name, exports, context),
        f"# {cell(name)}\n\n{_INTRODUCTION}",
        "## Made by\n\n" + _facts_of_run(summary),
        "## What is in it\n\n" + _export_table(exports) + "\n\n" + _MIXED + _for_kto(context),
        "## Length\n\n" + _length_table(exports, context),
        "## Train and validation\n\n" + _split_table(exports, context),
        "## Pass rates\n\n" + _pass_rates(exports),
        "## By stream\n\n" + _stream_table(summary, exports, context),
        "## By model\n\n" + _model_table(exports),
        "## What was refused\n\n" + _refusal_table(exports),
        "## What was checked\n\n" + _check_table(exports, context),
        "## Evaluation sets\n\n" + evaluation_sets(context.decontamination),
        _LINEAGE,
        _limits(context),
    ]
    return "\n\n".join(sections) + "\n"


def _for_kto(context: CardContext) -> str:
    """Which of the formats would teach rejected answers to whoever does not read their labels."""
    names = sorted({file.format for file in context.formatted if file.export == "labelled"})
    if not names:
        return ""
    listed = ", ".join(f"`{name}`" for name in names)
    warning = "Rows whose label is false are rejected answers, and SFT would train on them."
    return f"\n\n**For KTO only:** {listed}. {warning}"


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
    rows = "\n".join(f"| {label} | {cell_of_digest(value)} |" for label, value in facts)
    return f"| | |\n| --- | --- |\n{rows}\n\n{_RUN_HASH}"


def _export_table(exports: Mapping[str, ExportFacts]) -> str:
    rows = []
    for export, facts in exports.items():
        rows.append(
            [
                f"`{paths.EXPORT_FILES[export].relative_to(paths.EXPORTS)}`",
                f"{facts.rows:,}",
                f"{facts.splits['train']:,}",
                f"{facts.splits['validation']:,}",
                f"{facts.tokens:,}",
                counted(facts.categories),
            ]
        )
    return table(["export", "rows", "train", "validation", "tokens", "of which"], rows)


def _length_table(exports: Mapping[str, ExportFacts], context: CardContext) -> str:
    rows = [
        [export, *(f"{facts.length_at(share):,}" for share in (0.5, 0.95, 0.99, 1.0))]
        for export, facts in exports.items()
    ]
    if context.tokenizer is None:
        how = "Estimated: bytes of UTF-8 divided by four, and four tokens a message. No tokenizer was named."
    else:
        how = (
            f"Counted with the tokenizer {cell(context.tokenizer)}, and four tokens a message for its "
            "markup: chat templates write more or less."
        )
    return table(["tokens of a row", "p50", "p95", "p99", "longest"], rows) + f"\n\n{how} {_LENGTH}"


def _split_table(exports: Mapping[str, ExportFacts], context: CardContext) -> str:
    facts = exports.get("sft", ExportFacts())
    rows = [
        [
            f"by {rule}" + (" (in force)" if rule == context.split_by else ""),
            f"{facts.questions:,}",
            f"{facts.on_both_sides(rule):,}",
        ]
        for rule in ("prompt", "task")
    ]
    return table(["rule", "questions in `sft`", "on both sides"], rows) + "\n\n" + _SPLITS


def _pass_rates(exports: Mapping[str, ExportFacts]) -> str:
    rows = []
    for export, facts in exports.items():
        rates = facts.pass_rates.values()
        if not rates:
            continue
        passed, attempts = sum(rate[0] for rate in rates), sum(rate[1] for rate in rates)
        every = sum(rate[0] == rate[1] for rate in rates)
        none = sum(rate[0] == 0 for rate in rates)
        rows.append(
            [
                export,
                f"{len(rates):,}",
                f"{attempts:,}",
                f"{passed:,} ({passed / attempts:.0%})" if attempts else "0",
                f"{every:,}",
                f"{len(rates) - every - none:,}",
                f"{none:,}",
            ]
        )
    if not rows:
        return "Not recorded in these rows."
    header = ["tasks with rows in", "tasks", "attempts", "passed", "all passed", "some passed", "none passed"]
    return table(header, rows) + "\n\n" + _PASSED


def _check_table(exports: Mapping[str, ExportFacts], context: CardContext) -> str:
    secrets = sum(facts.refused["secret_found"] for facts in exports.values())
    personal: Counter[str] = Counter()
    for facts in exports.values():
        personal.update(facts.personal)
    held = sum(facts.with_personal for facts in exports.values())
    refused = sum(facts.refused["pii_found"] for facts in exports.values())
    rows = [
        ["credentials of known forms", f"checked; {plural(secrets, 'refusal')}, none in the rows"],
        [
            "personal data of known forms",
            f"checked; {with_verb(held, 'row', 'holds/hold', 'some')} ({counted(personal)}), "
            f"{plural(refused, 'refusal')}",
        ],
        ["rejected answers in `sft` (the firewall)", _firewall(context.firewall)],
        ["conversations (lint)", _lint(context)],
        ["signs of a reward hack in `sft`", _reward_hacks(context)],
        ["evaluation sets", _evaluation(context.decontamination)],
        ["near-duplicates", _near_duplicates(context.near_duplicates)],
        ["names, streets and other personal data without a form", NOT_CHECKED],
        ["whether a verdict is right", NOT_CHECKED],
    ]
    return table(["what", "state"], rows)


def _firewall(state: str | None) -> str:
    return NOT_CHECKED if state in (None, "ABSENT", "UNKNOWN", "STALE") else f"checked; {state}"


def _lint(context: CardContext) -> str:
    if context.lint is None:
        return NOT_CHECKED
    told = Counter({name: count for name, count in context.lint.flags.items() if name not in _REWARD_HACKS})
    return f"checked; {plural(context.lint.runs, 'run')} in `sft`: {counted(context.lint.faults + told)}"


def _reward_hacks(context: CardContext) -> str:
    if context.lint is None:
        return NOT_CHECKED
    signs = Counter({name: context.lint.flags[name] for name in _REWARD_HACKS if context.lint.flags[name]})
    return f"checked for known forms; {plural(context.lint.runs, 'run')}: {counted(signs)}"


def _evaluation(report: Mapping[str, Any] | None) -> str:
    if report is None or report.get("checked") is not True:
        return f"{NOT_CHECKED}: no set is declared"
    return f"checked: {plural(len(report['sets']), 'set')}, see below"


def _near_duplicates(reports: Mapping[str, Mapping[str, Any] | None]) -> str:
    told = {export: _alike(report) for export, report in reports.items()}
    if all(each == NOT_CHECKED for each in told.values()):
        return NOT_CHECKED
    return "; ".join(f"`{export}`: {each}" for export, each in told.items())


def _alike(report: Mapping[str, Any] | None) -> str:
    if report is None or report.get("checked") is not True:
        return NOT_CHECKED
    done = "refused" if report["mode"] == "drop" else "kept"
    clusters = len(report["clusters"])
    return (
        f"checked, {report['rows_alike']:,} of {plural(report['rows_compared'], 'row')} say nearly what a "
        f"better one says ({clusters:,} {'cluster' if clusters == 1 else 'clusters'}), {done}, "
        f"{plural(report['rows_too_short'], 'row')} too short to tell"
    )


def _stream_table(
    summary: Mapping[str, Any], exports: Mapping[str, ExportFacts], context: CardContext
) -> str:
    licences, rows = context.licences, []
    for stream, counts in summary["streams"].items():
        if stream not in licences:
            continue
        rows.append(
            [
                cell(stream),
                *(f"{counts[key]:,}" for key in ("lines", "evidence", "accepted", "partially_accepted")),
                *(f"{counts[key]:,}" for key in ("needs_human_review", "rejected")),
                *(f"{facts.streams[stream]:,}" for facts in exports.values()),
                cell(licences[stream].name or "not stated"),
            ]
        )
    header = ["stream", "lines", "evidence", "accepted", "partly", "review", "rejected", *exports, "licence"]
    return table(header, rows)


def _model_table(exports: Mapping[str, ExportFacts]) -> str:
    total: Counter[str] = Counter()
    for facts in exports.values():
        total.update(facts.models)
    shown = most_first(total)[:_MODELS_SHOWN]
    rows = [[cell(model), *(f"{facts.models[model]:,}" for facts in exports.values())] for model, _ in shown]
    shown_models = table(["model", *exports], rows)
    hidden = len(total) - len(shown)
    return shown_models + (f"\n\n{hidden:,} further models are not shown." if hidden > 0 else "")


def _refusal_table(exports: Mapping[str, ExportFacts]) -> str:
    reasons: Counter[str] = Counter()
    for facts in exports.values():
        reasons.update(facts.refused)
    rows = [
        [f"`{reason}`", *(f"{facts.refused[reason]:,}" for facts in exports.values())]
        for reason, _ in most_first(reasons)
    ]
    return table(["reason", *exports], rows) + "\n\n" + _REFUSALS


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

_MIXED = """\
These files carry `split` in their rows, and `load_dataset` gives them as the split `mixed`. Formats
(`distill export --format trl-conversational`) are one file a split, mapped to `train` and `validation`."""

_LENGTH = "Set a trainer's `max_length` at or above the p99: many cut at 1,024 tokens without a word."

_SPLITS = """\
A question is the prompt before the first answer, without system prompts, whatever stream or task id it came
with. What stands on both sides by the rule in force is in training and in validation."""

_PASSED = """\
Attempts are judged runs of a task, passed are those that were accepted. Pairs are only made of tasks of which
some passed and some did not."""

_LINEAGE = """\
## Lineage

Each row names its run (`source_run_id`, or `chosen_run_id` and `rejected_run_id`) and carries in
`provenance` the source file, line, byte offset and the SHA-256 of the source line. From the
workspace, `distill lineage ID` prints the chain down to the bytes of that line."""


def _limits(context: CardContext) -> str:
    tokens = "" if context.tokenizer else "- Token counts are estimates.\n"
    return f"""\
## Limits

- Verdicts come from the logs themselves (rewards, tests, human judgements). Nothing was judged again.
{tokens}- Credentials and personal data are found by fixed forms. A password or a name in prose is not.
- Logs of public benchmarks contain the benchmark. A model that is scored on it must not be trained on it.
- Some answers come from models whose terms restrict training on their output. Ask before you do."""
