"""JSON of unknown quality, read as objects: bounded, plain files only, and it never raises.

Everything under a workspace may be half written, damaged or hostile. A reader gets one of four
answers: the object, ``Gone``, ``Refused`` (the system would not give it) or ``Garbage`` (it is
there, and says nothing). Which of them matters, and what it means, is for whoever asked. The
typed getters answer None for a member that is missing or of another type, so that no caller has
to trust a shape.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

MOST_BYTES = 64 * 2**20
_MOST_TEXT_BYTES = 16 * 2**20
# Beyond these, a number is taken for none: no count of ours needs more, and no writer of JSON has it.
_LARGEST = 2**63

Json = Mapping[str, Any]
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Gone:
    """There is no such file."""

    why: str = "it is not there"


@dataclass(frozen=True, slots=True)
class Refused:
    """The system would not give it: no permission, a disk that fails, too many open files."""

    why: str


@dataclass(frozen=True, slots=True)
class Garbage:
    """It is there and says nothing: no plain file, too large, torn, no object, a name twice."""

    why: str


Unread = Gone | Refused | Garbage


def parse_object(data: bytes | str) -> dict[str, Any] | Garbage:
    """The JSON object in ``data``. A name that stands twice, NaN and lone surrogates are garbage."""
    try:
        text = data if isinstance(data, str) else data.decode()
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is no text
    except UnicodeError:
        return Garbage("it is no UTF-8")
    except (ValueError, RecursionError) as error:
        return Garbage(str(error) if isinstance(error, ValueError) else "it is nested too deeply")
    return value if isinstance(value, dict) else Garbage("it is not a JSON object")


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a name stands twice in one object")
    return found


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


def read_bytes(path: Path, *, most_bytes: int = MOST_BYTES) -> bytes | Unread:
    """All bytes of a plain file of at most ``most_bytes``."""
    return _read(path, most_bytes, tail=False)


def bytes_or_empty(path: Path) -> bytes:
    """A small file, such as the settings; empty when it is not there.

    Raises OSError, and ValueError for what is no plain file.
    """
    match _read(path, _MOST_TEXT_BYTES, tail=False):
        case Gone():
            return b""
        case Refused(why):
            raise OSError(why)
        case Garbage(why):
            raise ValueError(why)
        case data:
            return data


def read_tail(path: Path, tail_bytes: int) -> bytes | Unread:
    """The last ``tail_bytes`` of a plain file, without the line that they cut, however large it is."""
    return _read(path, tail_bytes, tail=True)


def _read(path: Path, most: int, *, tail: bool) -> bytes | Unread:
    try:
        # O_NONBLOCK: a named pipe in its place would block whoever opens it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return unread(error)
    except ValueError as error:  # a zero byte in the path
        return Refused(str(error))
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return Garbage("not a regular file")
        over = found.st_size - most
        if over > 0 and not tail:
            return Garbage(f"{found.st_size:,} bytes is more than a report may have ({most:,})")
        with open(descriptor, "rb", closefd=False) as file:
            file.seek(max(0, over))
            # Room is made for what is asked for: never the limit's 64 MiB for a small file.
            data = file.read(min(most, found.st_size))
        return data.partition(b"\n")[2] if over > 0 else data
    except OSError as error:
        return Refused(reason(error))
    finally:
        os.close(descriptor)


def read_object(path: Path, *, most_bytes: int = MOST_BYTES) -> dict[str, Any] | Unread:
    """The JSON object in a plain file of at most ``most_bytes``, or why there is none."""
    data = read_bytes(path, most_bytes=most_bytes)
    return parse_object(data) if isinstance(data, bytes) else data


def object_in(path: Path, *, most_bytes: int = MOST_BYTES) -> dict[str, Any] | None:
    """As ``read_object``, for whoever has one answer for all that is no object."""
    found = read_object(path, most_bytes=most_bytes)
    return found if isinstance(found, dict) else None


def object_or_none(data: bytes | str) -> dict[str, Any] | None:
    found = parse_object(data)
    return found if isinstance(found, dict) else None


def object_or_empty(data: bytes | str) -> dict[str, Any]:
    return object_or_none(data) or {}


def rows(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The objects among JSON lines; other lines are somebody else's finding."""
    for line in lines:
        if (row := object_or_none(line)) is not None:
            yield row


def stamp_of(path: Path) -> tuple[int, ...]:
    """What is another one once the file is (inode, size, time of writing); empty where it cannot be told."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def unread(error: OSError) -> Gone | Refused:
    """The answer that an error of the system stands for."""
    return Gone() if isinstance(error, (FileNotFoundError, NotADirectoryError)) else Refused(reason(error))


def reason(error: Exception) -> str:
    """Why, in the words of the system where it has some."""
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno else str(error)
    return str(error)


def inside(relative: object) -> PurePosixPath | None:
    """A path from a report that stays in the workspace; None for any other value."""
    if not isinstance(relative, str) or not relative or "\0" in relative:
        return None
    path = PurePosixPath(relative)
    return None if path.is_absolute() or ".." in path.parts else path


def _member(value: object, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def text_of(value: object, key: str) -> str | None:
    found = _member(value, key)
    return found if isinstance(found, str) else None


def count_of(value: object, key: str) -> int | None:
    """A whole number, at least 0."""
    found = _member(value, key)
    return found if isinstance(found, int) and type(found) is not bool and 0 <= found < _LARGEST else None


def number_of(value: object, key: str) -> float | None:
    found = _member(value, key)
    if type(found) not in (int, float) or not -_LARGEST < found < _LARGEST:
        return None
    return float(found)


def flag_of(value: object, key: str) -> bool | None:
    found = _member(value, key)
    return found if isinstance(found, bool) else None


def object_of(value: object, key: str) -> Json:
    found = _member(value, key)
    return found if isinstance(found, dict) else {}


def objects_of(value: object, key: str) -> list[dict[str, Any]]:
    """The objects of a list; members of other types are left out."""
    found = _member(value, key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def texts_of(value: object, key: str) -> tuple[str, ...]:
    found = _member(value, key)
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()


# How a field of such a type is read, and what stands in one that has no default.
_BY_TYPE: dict[object, tuple[Callable[[object, str], Any], Any]] = {
    "str": (text_of, "?"),
    "str | None": (text_of, None),
    "int": (count_of, 0),
    "int | None": (count_of, None),
    "float | None": (number_of, None),
    "bool": (flag_of, False),
    "bool | None": (flag_of, None),
    "tuple[str, ...]": (texts_of, ()),
    "Json": (object_of, {}),
}


def record_of(kind: type[Record], value: object, /, **known: Any) -> Record:
    """A dataclass from the members that are called as its fields are, each read by its type.

    What is missing or of another type keeps the field's default. ``known`` are fields that ``value`` has no
    say in.
    """
    members = dict(known)
    for each in fields(kind):  # type: ignore[arg-type]  # TypeError for what is no dataclass
        if each.name in known or each.type not in _BY_TYPE:
            continue
        read, otherwise = _BY_TYPE[each.type]
        if (found := read(value, each.name)) not in (None, ""):
            members[each.name] = found
        elif each.default is MISSING and each.default_factory is MISSING:
            members[each.name] = otherwise
    return kind(**members)
