"""The runbook as pages: ``docs/runbook/``, generated from the symptoms' own definitions.

They are for the night on which the tool itself is down, so every page says by which
commands the same is done by hand.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.contracts.symptoms import TAG
from runbook.symptom import Symptom
from runbook.tell.markdown import table

INDEX = "README.md"
_STATES = (
    ("detected", "A detector saw it."),
    ("diagnosing", "Probes look, each within a time limit. Nothing is changed."),
    ("classified", 'A cause is named, with the evidence for and against it. "Unknown" is an honest answer.'),
    ("planned", "There is a plan: steps, files before and after, the way back."),
    ("awaiting_approval", "The plan and its undo came out right in a copy; consent is asked."),
    ("applying", "Each change: its intent on disk before, its outcome after."),
    ("verifying", "The detector that raised it looks again."),
    ("resolved", "It is green. Nothing else ends an incident as resolved."),
    ("mitigated", "The damage is contained; the cause is not repaired."),
    ("escalated", "Handed over, with everything that is known."),
    ("abandoned", "Left as it is, or taken back."),
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
        "- `distill quarantine FILE` moves an export aside; a rename, taken back by a rename.",
        "- `distill restore PATH` puts a file back to the bytes of the last-good tag.",
        "- `distill undo INCIDENT` takes the last change of an incident back, byte for byte.",
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
        "## What may be behind it",
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
    return "told by the last report" + ("; `--full` looks anew" if symptom.rerun else "")


def _by_hand(says: str, command: str) -> list[str]:
    return [says, "", "```sh", command, "```", ""] if command else [says, ""]
