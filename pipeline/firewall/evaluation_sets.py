"""The test sets that ``distill.toml`` declares, read by the firewall's own code.

Not one line is shared with the exporter's side, so that a mistake there does not blind the scan.
A set that cannot be read whole leaves the wall unevaluated; it never makes a file clear.
"""

from __future__ import annotations

import bz2
import glob
import gzip
import io
import lzma
import os
import re
import tomllib
import unicodedata
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.untrusted import visible
from pipeline.firewall import strict_json
from pipeline.firewall.line_feed import bounded_lines
from pipeline.firewall.phrases import PhraseFinder, ngrams
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular
from pipeline.firewall.strict_json import UnreadableError
from pipeline.firewall.text_forms import without_hidden

# By hand nobody writes more, and more would be parsed for minutes.
_MOST_SETTINGS_BYTES = 2**20
_COMMON_ITEMS = 10  # an n-gram in more items of its set is how the set asks
_WHOLE_CHARACTERS = 20
_PARQUET = b"PAR1"
_OPENERS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPED = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # a frame of no data, put in front
_HEAD_BYTES = 8
_READ_ERRORS = (OSError, EOFError, UnreadableError, lzma.LZMAError, zlib.error)
# Scripts without spaces between words: kana, han, Thai and Lao.
_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff"
_WORD = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]+")
_CODE_TOKEN = re.compile(r"\w+|[^\w\s]")
# For str.translate: controls other than tab, the ends of lines and pages; joiners; annotation marks.
_DROPPED = dict.fromkeys(
    {*range(0x20), *range(0x7F, 0xA0), 0x200C, 0x200D, *range(0xFFF9, 0xFFFC)} - {*range(9, 14), 0x85}
)
_HAS_DROPPED = re.compile(f"[{''.join(map(chr, sorted(_DROPPED)))}]")


class SetUnreadableError(Exception):
    """A declared set cannot be used. The text says which and why, without its data."""


@dataclass(frozen=True)
class Item:
    """One side of one item: where it stands, how it is cut, and how many tokens it has."""

    name: str
    line: int
    side: str
    is_code: bool
    size: int


@dataclass
class Corpus:
    """All that texts of one side are searched for, cut in one way."""

    is_code: bool
    ngrams: dict[str, list[tuple[Item, int]]] = field(default_factory=lambda: defaultdict(list))
    whole: dict[str, list[Item]] = field(default_factory=lambda: defaultdict(list))

    @cached_property
    def finder(self) -> PhraseFinder:
        """Of the n-grams, once all are in."""
        return PhraseFinder(self.ngrams)

    def cut(self, text: str) -> list[str]:
        return cut_code(text) if self.is_code else cut_words(text)


@dataclass(frozen=True)
class Corpora:
    """All declared sets: how many, and for each side what its texts are searched for."""

    sets: int = 0
    of_side: Mapping[str, list[Corpus]] = field(default_factory=dict)


def cut_words(text: str) -> list[str]:
    text = _seen(text)
    return _WORD.findall((text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold())


def cut_code(text: str) -> list[str]:
    return _CODE_TOKEN.findall(_seen(text))


def _seen(text: str) -> str:
    """Without what nobody sees: inside a word it would make two of it, which no set holds."""
    if _HAS_DROPPED.search(text):
        text = text.translate(_DROPPED)
    return without_hidden(text)


def declared_sets(root: Path) -> Corpora:
    """What ``[[evaluation]]`` names. Raises SetUnreadableError."""
    settings = _settings(root)
    declared = _declared(settings)
    workspace = settings.get("workspace")
    roots = workspace.get("source_roots", []) if isinstance(workspace, dict) else []
    allowed = [root.resolve(), *((root / str(one)).resolve() for one in roots if isinstance(one, str))]
    corpora: dict[str, list[Corpus]] = {"prompt": [], "answer": []}
    for one in declared:
        _add(corpora, one, list(_items(root, allowed, one)))
    return Corpora(len(declared), corpora)


def set_patterns(root: Path) -> tuple[str, ...]:
    """The globs of all declared sets, for whoever waits for a change; none where they cannot be read."""
    try:
        declared = _declared(_settings(root))
    except SetUnreadableError:
        return ()
    return tuple(pattern for one in declared for pattern in _patterns(one))


def matches(root: Path, pattern: str) -> list[str]:
    """What a glob finds, relative to ``root``; a hidden file is found by a pattern that names it alone."""
    return glob.glob(pattern, root_dir=root, recursive=True)  # noqa: PTH207


def _settings(root: Path) -> dict[str, Any]:
    try:
        with os.fdopen(open_regular(root / paths.SETTINGS), "rb") as file:
            raw = file.read(_MOST_SETTINGS_BYTES + 1)
        if len(raw) > _MOST_SETTINGS_BYTES:
            raise SetUnreadableError(f"{paths.SETTINGS} is larger than {_MOST_SETTINGS_BYTES} bytes")
        return tomllib.loads(raw.decode("utf-8-sig"))
    except FileMissingError:
        return {}
    except FileRefusedError as refused:
        raise SetUnreadableError(f"{paths.SETTINGS} cannot be read: {refused}") from None
    except tomllib.TOMLDecodeError as error:
        raise SetUnreadableError(f"{paths.SETTINGS} is not valid TOML: {visible(str(error), 200)}") from None
    except OSError as error:
        raise SetUnreadableError(f"{paths.SETTINGS} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        what = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else "it nests too deep"
        raise SetUnreadableError(f"{paths.SETTINGS} cannot be read: {what}") from None


def _declared(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    declared = settings.get("evaluation", [])
    if not isinstance(declared, list) or not all(isinstance(one, dict) for one in declared):
        raise SetUnreadableError(f"{paths.SETTINGS}: evaluation is no list of tables")
    return declared


def _patterns(declared: Mapping[str, Any]) -> list[str]:
    patterns = declared.get("path")
    return [str(pattern) for pattern in ([patterns] if isinstance(patterns, str) else patterns or ())]


def _items(root: Path, allowed: list[Path], declared: Mapping[str, Any]) -> Iterator[tuple[int, Any]]:
    """The items of one set, counted over its files in the order of their names."""
    found = {relative for pattern in _patterns(declared) for relative in matches(root, pattern)}
    number = 0
    for relative in sorted(found, key=os.fsencode):
        path = root / relative
        if not path.is_file():
            continue
        if not any(path.resolve().is_relative_to(place) for place in allowed):
            raise SetUnreadableError(f"{_name(declared)}: a file leads out of the workspace")
        try:
            for value in _values(path):
                number += 1
                yield number, value
        except (*_READ_ERRORS, FileRefusedError, FileMissingError) as error:
            raise SetUnreadableError(
                f"{_name(declared)}: item {number + 1} cannot be read: {error}"
            ) from None
    if not number:
        raise SetUnreadableError(f"{_name(declared)}: it holds no item")


def _values(path: Path) -> Iterator[Any]:
    """What a file is, its first bytes say; its name says nothing."""
    with os.fdopen(open_regular(path), "rb") as file:
        first = file.read(_HEAD_BYTES)
        file.seek(0)
        if first.startswith(_PARQUET):
            yield from _parquet(file)
            return
        for line in _unpacked(file, first):
            yield strict_json.read(line.rstrip(b"\r\n"))


def _unpacked(file: Any, first: bytes) -> Iterator[bytes]:
    for begins, opener in _OPENERS.items():
        if first.startswith(begins):
            return bounded_lines(opener(file))
    if first.startswith(_ZSTD) or _ZSTD_SKIPPED.match(first):
        import zstandard

        return _zstd_lines(zstandard, file)
    return bounded_lines(file)


def _zstd_lines(zstandard: Any, file: Any) -> Iterator[bytes]:
    reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
    try:
        yield from bounded_lines(io.BufferedReader(reader))
    except zstandard.ZstdError:
        raise UnreadableError("no zstd") from None


def _parquet(file: Any) -> Iterator[Any]:
    from pyarrow import ArrowException, parquet

    try:
        for batch in parquet.ParquetFile(file).iter_batches():
            yield from batch.to_pylist()
    except ArrowException as error:
        raise UnreadableError(f"no Parquet: {type(error).__name__}") from None


def _add(corpora: dict[str, list[Corpus]], declared: Mapping[str, Any], items: list[tuple[int, Any]]) -> None:
    fields = {side: where for side in corpora if isinstance(where := declared.get(side), str)}
    for number, value in items:
        if not any(_text(value, where) for where in fields.values()):
            raise SetUnreadableError(f"{_name(declared)}: item {number} has no text at a declared side")
    for side, where in fields.items():
        corpora_of_side = corpora[side]
        corpus = Corpus(is_code=side in declared.get("code", ()))
        cuts = [(number, corpus.cut(text)) for number, value in items if (text := _text(value, where))]
        if not cuts:
            # Most likely misspelt. To look for nothing and find nothing is no check.
            raise SetUnreadableError(f"{_name(declared)}: no item has a text at its {side}")
        frequency = Counter(gram for _, cut in cuts for gram in {gram for _, gram in ngrams(cut)})
        for number, cut in cuts:
            item = Item(_name(declared), number, side, corpus.is_code, len(cut))
            for start, gram in ngrams(cut):
                if frequency[gram] <= _COMMON_ITEMS:
                    corpus.ngrams[gram].append((item, start))
            whole = " ".join(cut)
            if side == "prompt" and len(whole) >= _WHOLE_CHARACTERS:
                corpus.whole[whole].append(item)
        corpora_of_side.append(corpus)


def _text(value: Any, where: str) -> str:
    for key in where.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, list):
        return "\n".join(part for part in value if isinstance(part, str))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _name(declared: Mapping[str, Any]) -> str:
    return str(declared.get("name", "evaluation set"))
