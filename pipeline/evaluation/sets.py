"""The evaluation sets of ``[[evaluation]]``, read and indexed by their n-grams.

A set that cannot be read stops the run: a wall that sees half of a set would call the rest clear.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pipeline.contracts.faults import InputError
from pipeline.contracts.untrusted import visible
from pipeline.evaluation.tokens import Kind, tokens
from pipeline.settings.model import EvaluationSettings, Settings
from pipeline.storage.source_lines import lines_of, open_source, parse_line
from pipeline.streams.files import stream_files

_PARQUET = b"PAR1"  # how such a file begins, whatever it is called
GRAM = 8
# An n-gram in more items of its set than this is how the set asks, not what it asks.
COMMON_ITEMS = 10
# The shortest prompt, in characters of its tokens, that means something as a whole.
WHOLE_CHARACTERS = 20

Side = Literal["prompt", "answer"]
SIDES: tuple[Side, ...] = ("prompt", "answer")


class Target(NamedTuple):
    """One side of one item: what rows are held against. ``line`` counts from 1 over the set's files."""

    set_name: str
    line: int
    side: Side
    tokens: int


class Table(NamedTuple):
    """What is looked for in the texts of one side, cut in one way."""

    side: Side
    kind: Kind
    grams: dict[str, int]  # n-gram, tokens joined by spaces → its id
    rare: dict[str, set[int]]  # the rarest token of each n-gram → where in one it stands
    whole: dict[str, list[int]]  # whole prompt → targets
    whole_tokens: set[int]  # how many tokens those prompts have


class SetFacts(NamedTuple):
    """One set, as the report tells it. ``unchecked`` sides are too short to be found."""

    name: str
    items: int
    sides: int
    unchecked: int
    common_grams: int
    digest: str


@dataclass
class EvaluationIndex:
    """All sets together. ``places`` has for each n-gram id where it stands: (target, position)."""

    sets: list[SetFacts] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    places: list[list[tuple[int, int]]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    @property
    def gram_count(self) -> int:
        return len(self.places)

    @property
    def digests(self) -> dict[str, str]:
        """Set → sha256 (hex) of its items: part of receipts and of run_hash."""
        return {facts.name: facts.digest for facts in self.sets}

    def long_fact(self, target: int) -> int:
        return self.gram_count + target

    def whole_fact(self, target: int) -> int:
        return self.gram_count + len(self.targets) + target


def load_sets(workspace: Path, settings: Settings) -> EvaluationIndex:
    """Every declared set. Raises InputError where a set cannot be read whole, or holds no item."""
    index = EvaluationIndex()
    for declared in settings.evaluations:
        _add_set(index, declared, _items(workspace, settings, declared))
    for table in index.tables:
        _note_rare(table)
    return index


def _note_rare(table: Table) -> None:
    """Of each n-gram the token that fewest have: a text without it is not asked for the n-gram."""
    frequency = Counter(token for gram in table.grams for token in gram.split(" "))
    for gram in table.grams:
        of_gram = gram.split(" ")
        rarest = min(of_gram, key=lambda token: (frequency[token], token))
        table.rare.setdefault(rarest, set()).add(of_gram.index(rarest))


def _items(
    workspace: Path, settings: Settings, declared: EvaluationSettings
) -> Iterator[tuple[int, dict[Side, str]]]:
    number = 0
    for file in stream_files(workspace, settings, declared):
        for value in _values(file.path, file.relative, declared):
            number += 1
            sides: dict[Side, str] = {}
            for side in SIDES:
                path = getattr(declared, side)
                text = None if path is None else _text(value, path)
                if text:
                    sides[side] = text
            if not sides:
                fields = " and ".join(path for path in (declared.prompt, declared.answer) if path)
                raise _unusable(file.relative, number, declared, f"has no text at {fields}")
            yield number, sides


def _values(path: Path, relative: str, declared: EvaluationSettings) -> Iterator[Any]:
    with open_source(path) as file:
        is_parquet = file.read(len(_PARQUET)) == _PARQUET
    if is_parquet:
        yield from _parquet_rows(path, relative, declared)
        return
    with open_source(path) as file:
        for line in lines_of(file):
            value = parse_line(line.raw)
            if not isinstance(value, dict):
                raise _unusable(relative, line.line, declared, "is no JSON object")
            yield value


def _parquet_rows(path: Path, relative: str, declared: EvaluationSettings) -> Iterator[Any]:
    # Not at the top: it is slow to import, and few sets are Parquet.
    from pyarrow import ArrowException, parquet

    try:
        for batch in parquet.ParquetFile(path).iter_batches():
            yield from batch.to_pylist()
    except (ArrowException, OSError) as error:
        raise _unusable(relative, None, declared, f"is no readable Parquet file: {error}") from error


def _text(value: Any, path: str) -> str | None:
    """The text at a dotted path; several texts in a list are one, a number its digits."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list):
        value = "\n".join(item for item in value if isinstance(item, str))
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) else None


def _add_set(
    index: EvaluationIndex, declared: EvaluationSettings, items: Iterator[tuple[int, dict[Side, str]]]
) -> None:
    digest = hashlib.sha256()
    cut: list[tuple[Target, Kind, list[str]]] = []
    count = 0
    for line, sides in items:
        count += 1
        for side, text in sides.items():
            digest.update(f"{line}\0{side}\0".encode() + text.encode("utf-8", "surrogatepass") + b"\0")
            kind: Kind = "code" if side in declared.code else "words"
            of_side = tokens(text, kind)
            cut.append((Target(declared.name, line, side, max(1, len(of_side))), kind, of_side))
    files = ", ".join(declared.path)
    if not count:
        raise _unusable(files, None, declared, "holds no item")
    for side in SIDES:
        path = getattr(declared, side)
        if path is not None and all(target.side != side for target, _, _ in cut):
            # Most likely misspelt. To look for nothing and find nothing is no check.
            raise _unusable(files, None, declared, f'has no item with a text at {side} = "{path}"')
    items_of_gram = Counter(
        (target.side, kind, gram) for target, kind, of_side in cut for gram in set(_grams(of_side))
    )
    common = {key for key, in_items in items_of_gram.items() if in_items > COMMON_ITEMS}
    unchecked = 0
    for target, kind, of_side in cut:
        table = _table(index, target.side, kind)
        number = len(index.targets)
        index.targets.append(target)
        kept = 0
        for position, gram in enumerate(_grams(of_side)):
            if (target.side, kind, gram) in common:
                continue
            kept += 1
            gram_id = table.grams.setdefault(gram, len(index.places))
            if gram_id == len(index.places):
                index.places.append([])
            index.places[gram_id].append((number, position))
        whole = " ".join(of_side)
        if target.side == "prompt" and len(whole) >= WHOLE_CHARACTERS:
            table.whole.setdefault(whole, []).append(number)
            table.whole_tokens.add(len(of_side))
        elif not kept:
            unchecked += 1
    index.sets.append(SetFacts(declared.name, count, len(cut), unchecked, len(common), digest.hexdigest()))


def _grams(of_side: list[str]) -> Iterator[str]:
    for position in range(len(of_side) - GRAM + 1):
        yield " ".join(of_side[position : position + GRAM])


def _table(index: EvaluationIndex, side: Side, kind: Kind) -> Table:
    for table in index.tables:
        if (table.side, table.kind) == (side, kind):
            return table
    index.tables.append(Table(side, kind, {}, {}, {}, set()))
    return index.tables[-1]


def _unusable(file: str, line: int | None, declared: EvaluationSettings, what: str) -> InputError:
    place = visible(file) if line is None else f"{visible(file)}:{line}"
    return InputError.of(
        code="evaluation_set_unusable",
        what_happened=f"The evaluation set {declared.name} cannot be used: {place} {visible(what)}.",
        kept_safe="Nothing was exported; the last outputs are in place.",
        do_next=f'Repair the file, or correct [[evaluation]] name = "{declared.name}" in distill.toml.',
        file=file,
        line=line,
    )
