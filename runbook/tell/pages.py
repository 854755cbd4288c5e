"""The runbook as pages: ``docs/runbook/``, generated from the symptoms' own definitions.

They are for the night on which the tool itself is down, so every page says by which
commands the same is done by hand.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Sequence

from pipeline.contracts.check_index import AUDIT, REQUIRED_CHECKS
from pipeline.contracts.symptoms import TAG, ByHand
from runbook.symptom import Symptom
from runbook.tell.layout import table

INDEX = "README.md"
_STATES = (
    ("detected", "A detector found it."),
    ("diagnosing", "Probes examine it, each within a time limit. Nothing is changed."),
    ("classified", 'A cause is named, with the evidence for and against it. "Unknown" is an honest answer.'),
    ("planned", "There is a plan: steps, files before and after, the undo."),
    ("awaiting_approval", "The plan and its undo came out right in a copy; consent is asked."),
    ("applying", "Each change: its intent on disk before, its outcome after."),
    ("verifying", "The detector that raised it is re-run."),
    ("resolved", "It is green. Nothing else ends an incident as resolved."),
    ("mitigated", "The damage is contained; the cause is not repaired."),
    ("escalated", "Handed over, with all that is known."),
    ("abandoned", "Closed without a repair, or undone."),
)
_TAG = ("`TAG` is the workspace's last-good tag, as `distill status` names it: `TAG=…` first.", "")


def file_name(symptom_id: str) -> str:
    return symptom_id.lower().replace(".", "-") + ".md"


def pages(symptoms: Sequence[Symptom]) -> dict[str, str]:
    """Every page by file name."""
    return {INDEX: _index(symptoms)} | {file_name(each.id): _page(each, symptoms) for each in symptoms}


def _index(symptoms: Sequence[Symptom]) -> str:
    lines = [
        "# The runbook",
        "",
        "Start with `distill runbook detect`. Read top-down, stop at the first symptom that matches.",
        "`distill runbook open SYMPTOM` starts its wizard; `distill runbook resume INCIDENT` comes back",
        "to it after a lost link. Nothing is changed before you typed four digits of the plan you have read.",
        "",
        "Every page is made from the wizard's own definition by `make pages`.",
        "",
        *table(
            ("symptom", "severity", "what it is"),
            [(f"[{each.id}]({file_name(each.id)})", each.severity, each.title) for each in symptoms],
        ),
        "",
        "## Where an incident stands",
        "",
        *table(("state", "what it means"), _STATES),
        "",
        "## What always works",
        "",
        "- `distill quarantine FILE` moves an export aside; a rename, undone by a rename.",
        "- `distill restore PATH` puts a file back to the bytes of the last-good tag.",
        "- `distill undo INCIDENT` undoes the last change of an incident, byte for byte.",
        "- `distill incident show INCIDENT` reads as a hand-over; `distill incident verify` checks it.",
        "",
    ]
    return "\n".join(lines)


def _page(symptom: Symptom, symptoms: Sequence[Symptom]) -> str:
    known = {each.id for each in symptoms}
    lines = [
        f"# {symptom.id}: {symptom.title}",
        "",
        f"Severity: **{symptom.severity}** · phase {', '.join(symptom.phases) or 'none'} · "
        + _watched(symptom),
        "",
        "## What you see",
        "",
        symptom.what_you_see,
        "",
        "## Why it matters",
        "",
        symptom.why,
        "",
        "## Possible causes",
        "",
        *(f"- **{cause}**: {sentence}" for cause, sentence in symptom.causes),
        "",
        "## With the wizard",
        "",
        "```sh",
        f"distill runbook diagnose {symptom.id}",
        f"distill runbook open {symptom.id}",
        f"distill drill start {symptom.id}    # rehearse it first",
        "```",
        "",
        "## By hand",
        "",
        *(_TAG if any(TAG in each.command for each in symptom.by_hand) else ()),
        *(line for each in symptom.by_hand for line in _by_hand(each.says, each.command)),
    ]
    if symptom.checks:
        lines += [f"Checks that lead here: {', '.join(f'`{check}`' for check in symptom.checks)}.", ""]
    above = [each for each in symptom.explained_by if each in known]
    if above:
        links = ", ".join(f"[{each}]({file_name(each)})" for each in above)
        lines += [f"Look there first, if one of them shows too: {links}.", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _watched(symptom: Symptom) -> str:
    if symptom.live:
        return "watched live"
    return "by the last report" + ("; `--full` re-runs them" if symptom.rerun else "")


def _by_hand(says: str, command: str) -> list[str]:
    return [says, "", "```sh", command, "```", ""] if command else [says, ""]


_CHECKS = frozenset(spec.id for spec in AUDIT)


def lint(symptoms: Sequence[Symptom], commands: Collection[str]) -> list[str]:
    """Everything that the symptoms name and that is not there, one a line."""
    problems: list[str] = []
    ids = [symptom.id for symptom in symptoms]
    problems += [f"{each}: listed more than once" for each in sorted(set(ids)) if ids.count(each) > 1]
    answered = {check for symptom in symptoms for check in symptom.checks}
    problems += [f"no symptom answers {check}" for check in REQUIRED_CHECKS if check not in answered]
    for symptom in symptoms:
        problems += _of_symptom(symptom, set(ids), commands)
    return problems


def _of_symptom(symptom: Symptom, ids: set[str], commands: Collection[str]) -> Iterable[str]:
    for check in symptom.checks:
        if check not in _CHECKS:
            yield f"{symptom.id}: there is no check {check}"
    for other in symptom.explained_by:
        if other not in ids:
            yield f"{symptom.id}: there is no symptom {other}"
    if not symptom.causes:
        yield f"{symptom.id}: names no cause"
    if not symptom.by_hand:
        yield f"{symptom.id}: has no commands by hand for when the tool is down"
    for line in symptom.by_hand:
        yield from _of_command(symptom.id, line, commands)


def _of_command(symptom_id: str, line: ByHand, commands: Collection[str]) -> Iterable[str]:
    """Every ``distill NAME`` of a command line, pipes and substitutions included."""
    try:
        words = shlex.split(line.command, comments=True)
    except ValueError as error:
        yield f"{symptom_id}: {line.command!r} is no command line: {error}"
        return
    for index, word in enumerate(words[:-1]):
        if word == "distill" and words[index + 1] not in commands and not words[index + 1].startswith("-"):
            yield f"{symptom_id}: there is no command distill {words[index + 1]}"
