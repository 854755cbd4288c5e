"""Texts, times, models and measures in the members of a log's lines, by name and by what the mapper takes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import PurePosixPath
from typing import Any

from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.streams import suggest_toml as toml
from pipeline.streams import suggest_words as words
from pipeline.streams.coerce import FIELD_COERCERS
from pipeline.streams.misfit import MisfitError
from pipeline.streams.suggest_draft import Draft, offered
from pipeline.streams.suggest_members import Member
from pipeline.streams.times import timestamp

_MEASURES = {
    "model_name": words.MODEL,
    "model_provider": words.PROVIDER,
    "tokens": words.TOKENS,
    "cost_usd": words.COST,
    "latency_ms": words.LATENCY,
    "tools": words.TOOLS,
    "finish_reason": words.FINISH,
}
_TIMES = ("iso", "epoch_seconds", "epoch_ms", "epoch_ns")
_YEARS = ("1990", "2100")
_TEXTS_SHOWN = 10
_SHORTEST_TEXT = 15
# Folders that every workspace has, or none at all: named for no model.
_NO_MODELS = frozenset(("_kb", "data", "sources", "logs", "runs", ""))


def text_named(
    members: Sequence[Member], names: Collection[str], taken: Collection[str] = ()
) -> Member | None:
    """The first member, by the order of ``names``, that holds texts, or lists of them, no reference."""
    for name in names:
        for member in members:
            if member.name == name and member.path not in taken and _holds_texts(member):
                return member
    return None


def _holds_texts(member: Member) -> bool:
    return not member.words_around & words.REFERENCE and all(
        isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))
        for value in member.there
    )


def text_rule(member: Member) -> Any:
    """A path, or for lists of texts the rule that joins them."""
    return member.path if member.is_of(str) else {"join": member.path}


def add_measures(draft: Draft, members: Sequence[Member]) -> None:
    """Set what has the name of a field and values that it takes."""
    for name, known in _MEASURES.items():
        for member in _named(members, known):
            if name not in draft.fields and _set(draft, name, member, FIELD_COERCERS[name]):
                break
    for member in _named(members, words.TIME):
        form = next((form for form in _TIMES if all(_is_time(value, form) for value in member.there)), None)
        if form is not None and "timestamp" not in draft.fields:
            draft.fields["timestamp"] = member.path if form == "iso" else {"path": member.path, "time": form}


def _named(members: Sequence[Member], known: Sequence[str]) -> list[Member]:
    return [member for name in known for member in members if member.name == name and member.there]


def _set(draft: Draft, name: str, member: Member, coerce: Callable[[Any], Any]) -> bool:
    """Set the field unless no value fits it; values that do not fit become null."""
    fitting = sum(_fits(coerce, value) for value in member.there)
    if fitting:
        is_whole = fitting == len(member.there)
        draft.fields[name] = member.path if is_whole else {"path": member.path, "lenient": True}
    return bool(fitting)


def _fits(coerce: Callable[[Any], Any], value: Any) -> bool:
    try:
        coerce(value)
    except MisfitError:
        return False
    return True


def _is_time(value: Any, form: str) -> bool:
    try:
        return _YEARS[0] < timestamp(value, (form,)) < _YEARS[1]
    except MisfitError:
        return False


def _sentence(value: Any) -> str:
    return value if isinstance(value, str) else next((item for item in value if isinstance(item, str)), "")


def _holds_sentences(member: Member) -> bool:
    """Whether they are texts, or lists of texts, of more than a word."""
    return member.is_of(str, list) and any(
        len(text) > _SHORTEST_TEXT and len(text.split()) > 1 for text in map(_sentence, member.there)
    )


def say_what_is_missing(draft: Draft, members: Sequence[Member], used: set[str]) -> None:
    """Offer an answer where no name tells it, and the model's name out of the file's."""
    if not {"response", "messages"} & set(draft.fields):
        member = text_named(members, words.CONTENT, used)
        if member is not None and _holds_sentences(member):
            draft.asked.append(offered("response", member.path, "is it the answer? No name tells"))
        else:
            draft.asked.append("# RESPONSE: not found by its name; below are the texts that there are.")
    if "model_name" not in draft.fields:
        draft.asked.append(_asks_model(draft, members))


def _asks_model(draft: Draft, members: Sequence[Member]) -> str:
    """A line that offers the name of the log's folder, or a name to write down where that names no model."""
    source = next((each for each in members if each.steps == ("_source", "path")), None)
    logs = [str(value) for value in source.there] if source is not None else [draft.path]
    folders = {PurePosixPath(log).parent.name for log in logs}
    if folders & _NO_MODELS:
        return offered(
            "model_name", {"const": "?"}, "no line names the model: write its name, if all are by one"
        )
    rule = {"path": "_file.path" if source is None else source.path, "regex": r"([^/]+)/[^/]+$"}
    return offered("model_name", rule, "no line names the model; a folder, where it is named for one")


def left_over(members: Sequence[Member], used: Collection[str]) -> list[str]:
    """Texts that the draft does not use, a short sample each: an answer may be among them."""
    texts = [member for member in members if member.path not in used and _holds_sentences(member)]
    if not texts:
        return []
    lines = ["# texts that no line above uses (whose name speaks of a reference is best left out):"]
    for member in texts[:_TEXTS_SHOWN]:
        sample = toml.short(_sentence(member.there[0]))
        in_lines = plural(len(member.there), "line")
        lines.append(toml.comment(f"  {visible(member.path, 80)}: {in_lines}, {sample}"))
    if len(texts) > _TEXTS_SHOWN:
        lines.append(f"#   and {len(texts) - _TEXTS_SHOWN} more")
    return lines
