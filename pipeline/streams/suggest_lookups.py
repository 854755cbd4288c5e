"""Other files that hold more about a log's lines: found by the values of ids that both have."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.contracts.faults import InputError
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.settings.model import Settings
from pipeline.streams import suggest_toml as toml
from pipeline.streams import suggest_words as words
from pipeline.streams.files import SourceFile, list_sources
from pipeline.streams.suggest_draft import Draft, offered
from pipeline.streams.suggest_fields import text_named
from pipeline.streams.suggest_ids import is_id
from pipeline.streams.suggest_members import Member, members_of
from pipeline.streams.suggest_outcomes import outcomes_in, rule_for, seen
from pipeline.streams.suggest_sample import read_sample
from pipeline.streams.unread_files import unread_files

MOST_FILES = 20
_MOST_JOINS = 4
_LEAST_VALUES = 2
_MOST_OUTCOMES = 3
_ENOUGH = 0.5
_LONG_NUMBER = 8
_SAME_KIND = 0.8


@dataclass
class Join:
    """``ours`` holds values that ``key`` of the lines of ``file`` holds, ``shared`` of ``values``."""

    ours: Member
    key: Member
    file: str
    others: list[Member]
    shared: int
    values: int


def other_files(workspace: Path, settings: Settings, here: Path) -> list[SourceFile]:
    """Files that streams read, and those that look like logs and no stream reads; not ``here``."""
    found: dict[str, Path] = {}
    for stream in settings.streams:
        found.update({file.relative: file.path for file in list_sources(workspace, settings, stream).files})
    found.update({name: workspace / name for name in unread_files(workspace, settings)})
    if here.parent.is_relative_to(workspace):
        beside = sorted(path for path in here.parent.glob("*.json*") if path.is_file())
        found.update({path.relative_to(workspace).as_posix(): path for path in beside})
    found = {name: path for name, path in found.items() if _is_utf8(name)}
    names = sorted(found, key=lambda name: (found[name].parent != here.parent, os.fsencode(name)))
    return [SourceFile(name, found[name]) for name in names if found[name].resolve() != here.resolve()]


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def joins_with(members: Sequence[Member], files: Iterable[SourceFile]) -> list[Join]:
    """The best joins of the first files, those with most of the values first."""
    ids = [
        each for each in members if is_id(each) and len(set(each.there)) >= _LEAST_VALUES and _says_id(each)
    ]
    joins: list[Join] = []
    for file in islice(files, MOST_FILES) if ids else ():
        try:
            sample = read_sample(file.path, file.relative)
        except (InputError, OSError):
            continue
        theirs = members_of(sample.values)
        if _is_of_one_kind(members, theirs):
            continue
        keys = [
            each
            for each in theirs
            if is_id(each) and _says_id(each) and len(set(each.there)) == len(each.there)
        ]
        for ours in ids:
            values = {str(value) for value in ours.there}
            for key in keys:
                shared = len(values & {str(value) for value in key.there})
                if shared >= _LEAST_VALUES and shared >= _ENOUGH * len(values):
                    others = [each for each in theirs if each is not key]
                    joins.append(Join(ours, key, file.relative, others, shared, len(values)))
    # A number that merely counts meets every other one: a join by one name goes before it.
    joins = [each for each in joins if each.ours.name == each.key.name or not _merely_counts(each.ours)]
    joins.sort(key=lambda join: (join.ours.name != join.key.name, -join.shared, join.file))
    return joins[:_MOST_JOINS]


def _is_of_one_kind(ours: Sequence[Member], theirs: Sequence[Member]) -> bool:
    """Whether the other file holds lines as these, a copy perhaps: it adds nothing to them."""
    one, other = {member.path for member in ours}, {member.path for member in theirs}
    return len(one & other) >= _SAME_KIND * len(one | other)


def _merely_counts(member: Member) -> bool:
    return all(str(value).isdigit() and len(str(value)) < _LONG_NUMBER for value in member.there)


def _says_id(member: Member) -> bool:
    return member.name in words.TASK or member.words[-1:] in (["id"], ["uuid"], ["key"])


def add_joins(draft: Draft, joins: Sequence[Join], taken: set[str]) -> None:
    """Offer each file as a look-up stream; take the question from one where the log itself has none."""
    names: dict[tuple[str, str], str] = {}
    for join in joins:
        draft.notes.append(
            f"{visible(join.ours.path, 60)}: {join.shared:,} of {plural(join.values, 'value')} stand in "
            f"{visible(join.file, 60)} as {visible(join.key.path, 60)}"
        )
        is_new = (join.file, join.key.path) not in names
        name = names.setdefault((join.file, join.key.path), stream_name(join.file, taken))
        taken.add(name)
        lookup = {"name": name, "role": "lookup", "key": join.key.path, "path": glob.escape(join.file)}
        is_taken = _take_question(draft, join, lookup)
        offers = [] if is_taken else _offers(draft, join, name)
        draft.asked += offers
        if offers and is_new and lookup not in draft.lookups:
            draft.joins += ["# To read it by a look-up, take these lines, too:", "# [[stream]]"]
            draft.joins += [offered(key, said) for key, said in lookup.items()]


def _take_question(draft: Draft, join: Join, lookup: dict[str, str]) -> bool:
    if {"instruction", "messages"} & set(draft.fields) or draft.preset is not None:
        return False
    text = text_named(join.others, (*words.INSTRUCTION, *words.CONTENT))
    if text is None or not text.is_of(str):
        return False
    draft.fields["instruction"] = _found_in(lookup["name"], join, text)
    draft.lookups.append(lookup)
    return True


def _offers(draft: Draft, join: Join, name: str) -> list[str]:
    """Lines that take an answer or an outcome from the other file."""
    lines = []
    if not {"response", "messages"} & set(draft.fields) and draft.preset is None:
        text = text_named(join.others, (*words.RESPONSE, *words.CONTENT))
        if text is not None and text.is_of(str):
            lines.append(offered("response", _found_in(name, join, text)))
    for member in outcomes_in(join.others)[:_MOST_OUTCOMES]:
        lines.append(toml.comment(f"  {visible(join.file, 60)}, {member.path}: {seen(member)}"))
        lines.append(offered(*rule_for(member, _found_in(name, join, member))))
    return lines


def _found_in(name: str, join: Join, member: Member) -> dict[str, Any]:
    return {"lookup": name, "key": join.ours.path, "get": member.path, "lenient": True}


def stream_name(file: str, taken: set[str]) -> str:
    """A stream's name made of a file's: in lower-case letters, digits, ``_``, ``-``; none of ``taken``."""
    stem = PurePosixPath(file).name.partition(".")[0].lower()
    plain = "".join(each if each.isascii() and (each.isalnum() or each in "_-") else "-" for each in stem)
    plain = plain.strip("-_")[:80] or "log"
    if plain in ("distillation_skips", "scoring_skips", "audit_baselines", "replay_runs"):
        plain += "-log"
    return next(name for name in (plain, *(f"{plain}-{n}" for n in range(2, 10_000))) if name not in taken)
