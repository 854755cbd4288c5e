"""``distill explain RUN_ID``: the evidence, the rule that decided, and why earlier ones did not.

The rules are asked again with the thresholds of ``distill.toml`` as it is now. Where that
gives another category than the scored run has, the settings or the rules have changed since,
and the command says so. Ends with 3 when there is no such run.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.contracts.faults import ExitCode, InputError, IntegrityError
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible

if TYPE_CHECKING:
    from pipeline.commands.context import CommandContext
    from pipeline.row_search import FoundRow
    from pipeline.settings.model import ScoringSettings
    from pipeline.stages.score import RuleOutcome

_SHOWN_CHARACTERS = 400
_TEXTS = ("instruction", "context", "response", "goal")
_SIGNALS = (
    "human_override", "verdict", "reward", "success_markers", "failure_markers", "validation", "flags",
)  # fmt: skip


@dataclass(frozen=True)
class Explanation:
    """``category`` is what the rules say now, ``scored`` what they said when the run was scored."""

    evidence: FoundRow
    scored: FoundRow | None
    outcomes: tuple[RuleOutcome, ...]
    category: str
    not_asked: tuple[str, ...]

    @property
    def is_outdated(self) -> bool:
        return self.scored is not None and self.scored.row.get("category") != self.category


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    settings = context.settings().settings
    explanation = explained(context.workspace, arguments.run_id, settings.scoring)
    if context.json:
        context.out_json(as_data(explanation))
    else:
        context.out("\n".join(as_lines(explanation)))
    if explanation.is_outdated:
        context.note("The rules or thresholds have changed since the run was scored: distill score")
    return ExitCode.OK


def explained(workspace: Path, run_id: str, thresholds: ScoringSettings) -> Explanation:
    """Raises InputError for an unknown run, IntegrityError for evidence that is not as P2 writes it."""
    from pydantic import ValidationError

    from pipeline.engine.written_rows import as_evidence
    from pipeline.lineage import evidence_of, scored_of
    from pipeline.schemas.evidence import EvidenceRecord
    from pipeline.schemas.validators import first_refusal
    from pipeline.stages.score import explain, score
    from pipeline.stages.scoring_rules import RULES

    evidence = evidence_of(workspace, run_id)
    if evidence is None:
        raise _unknown(run_id)
    try:
        row = as_evidence(evidence.row)
        EvidenceRecord.model_validate(row)
    except ValidationError as error:
        raise _damaged(evidence, first_refusal(error)) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(evidence, type(error).__name__) from error
    outcomes = tuple(explain(row, thresholds))
    return Explanation(
        evidence=evidence,
        scored=scored_of(workspace, run_id),
        outcomes=outcomes,
        category=score(row, thresholds)["category"],
        not_asked=tuple(rule.code.value for rule in RULES[len(outcomes) :]),
    )


def as_lines(explanation: Explanation) -> Iterator[str]:
    """The explanation for people. All text is made visible."""
    row = explanation.evidence.row
    model = row["model_name"] or "model not recorded"
    yield visible(f"{row['run_id']}   task {row['task_id']}   {model}")
    verdict = f"{explanation.category}, by rule {explanation.outcomes[-1].reason}"
    yield f"would now be {verdict}" if explanation.is_outdated else verdict
    if explanation.scored is None:
        yield "not scored yet"
    else:
        scored = explanation.scored
        yield visible(f"scored {scored.row.get('category')}, {scored.row.get('score')}, in {scored.place}")
    yield ""
    yield from _evidence_lines(explanation.evidence)
    yield ""
    yield "rules, first match wins"
    for number, outcome in enumerate(explanation.outcomes, start=1):
        answer = "YES" if outcome.fired else "no"
        yield visible(f"  {number:>2}  {answer:<3}  {outcome.reason:<23}  {outcome.rule}")
        yield visible(f"           {outcome.why}", _SHOWN_CHARACTERS)
    if explanation.not_asked:
        yield f"  not asked any more: {', '.join(explanation.not_asked)}"


def _evidence_lines(evidence: FoundRow) -> Iterator[str]:
    row = evidence.row
    yield visible(f"evidence, {evidence.place}")
    for name in _TEXTS:
        text = row[name]
        if text is not None:
            yield f"  {name:<16}{visible(text, _SHOWN_CHARACTERS) or '(empty)'}"
        elif name == "response":
            yield f"  {name:<16}(not recorded)"
    if row["messages"] is not None:
        yield f"  {'messages':<16}{plural(len(row['messages']), 'turn')}"
    for name in _SIGNALS:
        if row.get(name) not in (None, [], {}):  # evidence of older engines lacks some
            yield f"  {name:<16}{visible(_signal(row[name]), _SHOWN_CHARACTERS)}"


def _signal(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_signal(inner)}" for name, inner in value.items() if inner is not None)
    return str(value)


def as_data(explanation: Explanation) -> dict[str, Any]:
    """The explanation for machines."""
    scored = explanation.scored
    return {
        "run_id": explanation.evidence.row["run_id"],
        "category": explanation.category,
        "reason": explanation.outcomes[-1].reason.value,
        "is_outdated": explanation.is_outdated,
        "scored": None if scored is None else {"file": scored.file, "line": scored.line, "row": scored.row},
        "evidence": {
            "file": explanation.evidence.file,
            "line": explanation.evidence.line,
            "row": explanation.evidence.row,
        },
        "rules": [
            {
                "rule": outcome.rule,
                "reason": outcome.reason.value,
                "fired": outcome.fired,
                "why": outcome.why,
            }
            for outcome in explanation.outcomes
        ],
        "not_asked": list(explanation.not_asked),
    }


def _unknown(run_id: str) -> InputError:
    return InputError.of(
        code="unknown_run",
        what_happened=f"No evidence row has the run id {run_id}.",
        kept_safe="Nothing was changed.",
        do_next=f"Look for it elsewhere: distill lineage {visible(run_id)}",
        value=run_id,
    )


def _damaged(evidence: FoundRow, refusal: str) -> IntegrityError:
    return IntegrityError.of(
        code="evidence_invalid",
        what_happened=f"{evidence.place} is not an evidence row as the engine writes it ({refusal}).",
        kept_safe="Nothing was changed.",
        do_next="Make the evidence again: distill materialize",
        file=evidence.file,
        line=evidence.line,
    )
