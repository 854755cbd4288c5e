"""Ways out that several symptoms offer: code or settings as tagged, a command run again, a file aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.platform.lenient_json import objects_of, texts_of
from runbook.actions.quarantine import plan_quarantine
from runbook.actions.repair_code import plan_code_repair
from runbook.actions.rerun_stage import plan_rerun
from runbook.actions.restore import plan_restore
from runbook.change.plan import Draft
from runbook.change.planning import Planning, joined
from runbook.change.refusals import refused
from runbook.probes.code_history import ChangedFile
from runbook.probes.evidence import Diagnosis
from runbook.symptom import Answers, Offer

RUN_ALL = "run-all"
_RESTORE = "restore"
# What is bad, and goes out of the way first.
Aside = Callable[[Planning], list[Draft]]


def _nothing(_planning: Planning) -> list[Draft]:
    return []


def restoring(files: Iterable[ChangedFile]) -> dict[str, JsonValue]:
    """A diagnosis' facts from which ``to_restore`` reads the files again."""
    return {_RESTORE: [each.model_dump(mode="json", exclude={"diff", "constants"}) for each in files]}


def to_restore(diagnosis: Diagnosis | None) -> tuple[ChangedFile, ...]:
    """The files that a diagnosis wants back; none where there is no diagnosis."""
    found = diagnosis.facts.get(_RESTORE) if diagnosis is not None else None
    return tuple(ChangedFile.model_validate(each) for each in found) if isinstance(found, list) else ()


def named(files: Iterable[ChangedFile]) -> str:
    """The files in a few words, for an offer's title."""
    paths = [each.path for each in files]
    return ", ".join(paths[:2]) + (f" and {len(paths) - 2} more" if len(paths) > 2 else "")


def code_offer(
    files: Sequence[ChangedFile],
    title: str,
    why: str,
    *,
    offer_id: str = "restore",
    then: Sequence[Sequence[str]] = (),
    first: Aside = _nothing,
    plan_title: str = "",
) -> Offer:
    """``first`` out of the way, under ``plan_title``; the engine's code back, then the commands ``then``."""

    def make(planning: Planning, _answers: Answers) -> Draft:
        repair = plan_code_repair(planning, files, then)
        # Installed code is put back by a person, so nothing here can be made again.
        if not plan_title or not planning.workspace.runs_own_engine:
            return repair
        return joined(plan_title, [*first(planning), repair])

    return Offer(offer_id, title, why, make)


def tag_offer(
    names: Sequence[str],
    title: str,
    why: str,
    *,
    offer_id: str = "restore",
    then: str = "",
    tag: str | None = None,
) -> Offer:
    """Files back to the bytes of ``tag`` (the last-good one), then the command ``then``."""

    def make(planning: Planning, _answers: Answers) -> Draft:
        restored = plan_restore(planning, names, tag=tag)
        return joined(title, [restored, plan_rerun(planning, then)]) if then else restored

    return Offer(offer_id, title, why, make)


def rerun_offer(
    offer_id: str, title: str, why: str, *commands: str, first: Aside = _nothing, plan_title: str = ""
) -> Offer:
    """``first`` out of the way, then engine commands, one after the other."""

    def make(planning: Planning, _answers: Answers) -> Draft:
        drafts = [*first(planning), *(plan_rerun(planning, each) for each in commands)]
        return joined(plan_title or title, drafts) if plan_title or len(drafts) > 1 else drafts[0]

    return Offer(offer_id, title, why, make)


RESTORE_SETTINGS = tag_offer(
    [str(paths.SETTINGS)],
    f"Restore {paths.SETTINGS}, then {RUN_ALL}",
    "the last-good tag holds the rules with which these lines were read; every later edit goes with it",
    offer_id="restore-settings",
    then=RUN_ALL,
)


def differing(files: Iterable[ChangedFile], settings: Iterable[str]) -> dict[str, JsonValue]:
    """A diagnosis' facts from which ``as_tagged`` makes its offers."""
    return {
        "code": [each.model_dump(mode="json", exclude={"diff"}) for each in files],
        "settings": [*settings],
    }


def as_tagged(diagnosis: Diagnosis, code_cause: str, settings_cause: str) -> list[tuple[str, Offer]]:
    """Code and settings back where they differ, each with the cause that it is the answer to."""
    ways = []
    code = [ChangedFile.model_validate(each) for each in objects_of(diagnosis.facts, "code")]
    if code:
        named = ", ".join(each.path for each in code[:3]) + (" …" if len(code) > 3 else "")
        why = "the last-good tag holds the code that read these lines"
        title = f"Restore {named}, then {RUN_ALL}"
        ways.append((code_cause, code_offer(code, title, why, offer_id="restore-code", then=[(RUN_ALL,)])))
    if texts_of(diagnosis.facts, "settings"):
        ways.append((settings_cause, RESTORE_SETTINGS))
    return ways


def fitting_first(ways: Iterable[tuple[str, Offer]], cause: str) -> tuple[Offer, ...]:
    """The answers to ``cause`` first; the others stay possible."""
    return tuple(offer for _, offer in sorted(ways, key=lambda one: one[0] != cause))


def set_aside(planning: Planning, files: Iterable[str]) -> list[Draft]:
    """A quarantine each for those that still stand."""
    return [plan_quarantine(planning, path) for path in files if not planning.state(path).is_absent]


def all_aside(planning: Planning, files: Iterable[str], none_left: str) -> Draft:
    """A quarantine of all as one plan. Raises RefusedError, saying ``none_left``, where none stands."""
    drafts = set_aside(planning, files)
    if not drafts:
        raise refused("nothing_there", none_left, "Diagnose on.")
    return drafts[0] if len(drafts) == 1 else joined(f"Quarantine {plural(len(drafts), 'file')}", drafts)
