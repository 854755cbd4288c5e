"""What every command is handed: where it works, and how it speaks.

Data goes to standard output, narration to standard error; ``--json`` asks for data for machines.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from pipeline.contracts.discovery import find_workspace, shown_place
from pipeline.contracts.faults import ExitCode, Fault, OperatorError, worst
from pipeline.contracts.untrusted import visible, visible_lines
from pipeline.platform import drawing, streams
from pipeline.platform.disk_faults import refused_by_disk
from pipeline.platform.starvation import starved_fault

BROKEN_CODE = "distill doctor names the first file that does not load; then install the package again."


class ReaderGoneError(Exception):
    """Nobody reads standard output any more: a command that only tells has nothing left to do."""


@dataclass
class Voice:
    """``directory`` is what ``-C`` said, ``events_place`` what ``--events`` said.

    ``commands`` are the names that a person may be told to type.
    """

    directory: str | None = None
    json: bool = False
    events_place: str | None = None
    commands: Collection[str] = ()

    @cached_property
    def workspace(self) -> Path:
        """The workspace's root. Raises SettingsError when there is none."""
        return find_workspace(self.directory)

    def out(self, text: str) -> None:
        """Data, to standard output."""
        streams.write(streams.OUT, text + "\n")

    def out_now(self, text: str) -> None:
        """Data that somebody waits for."""
        streams.write(streams.OUT, text + "\n", now=True)

    @property
    def is_heard(self) -> bool:
        """Whether standard output still takes what is said."""
        return streams.is_heard()

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Data in columns, to standard output; ``>name`` has its cells on the right."""
        self.out(drawing.table(columns, rows).removesuffix("\n"))

    def out_json(self, value: Any) -> None:
        """One JSON value. Escaped to ASCII: what data may hold must not reach a terminal raw."""
        import json

        self.out(json.dumps(value, indent=2, ensure_ascii=True))

    def out_bytes(self, data: bytes) -> None:
        """Raw bytes, to standard output."""
        streams.write_bytes(data)

    def note(self, text: str) -> None:
        """Narration, to standard error. What it names may be a stranger's: the path of a workspace, say."""
        streams.write(streams.ERR, "\n".join(visible_lines(text)) + "\n")

    def fault(self, fault: Fault) -> None:
        """Its three lines, to standard error."""
        self.note("\n".join(fault.as_lines()))

    def prompt(self, text: str) -> None:
        """A question, to standard error; the answer follows on its line."""
        streams.write(streams.ERR, text)


def speak(
    work: Callable[[], int],
    *,
    who: str,
    kept_safe: str,
    broken_code: str = BROKEN_CODE,
    also_tell: Callable[[Fault], None] = lambda _fault: None,
) -> int:
    """Do a command's work and give its exit code: the one frame around every ``main``.

    An ``OperatorError`` becomes its three lines. A bug becomes three lines that name ``who`` has
    it, and exit 3; where code could not even be imported, ``broken_code`` is the next step. One that was
    starved of descriptors or memory, or met a disk that refused, has no bug, and its three lines say so.
    ``also_tell`` hears of each fault, for who has standard error on a disk that may refuse it.
    A reader that goes away (``| head -1``) changes no exit code; a full disk under standard output
    does, because what it was to hold is not whole.
    """
    streams.prepare()
    voice = Voice()
    fault: Fault | None = None
    before: Sequence[str] = ()
    try:
        code = int(work())
    except OperatorError as error:
        fault, code = error.fault, int(error.exit_code)
        if code == ExitCode.APPROVAL_NEEDED:
            before = error.shown_before()
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
    except ReaderGoneError:
        code = ExitCode.OK
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else ExitCode.OK
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes an exit code
        fault, code = _unexpected(error, who, kept_safe, broken_code), ExitCode.NOT_EVALUABLE
    if fault is not None:
        for text in before:
            voice.note(text)
        voice.fault(fault)
        also_tell(fault)
    refused = streams.end()
    if refused is not None:
        code = worst((code, ExitCode.NOT_EVALUABLE))
        fault = Fault(
            "output_refused",
            f"Standard output cannot be written: {refused.strerror}. What it holds is incomplete.",
            kept_safe,
            "Write to a place with free space, then run the command again.",
        )
        voice.fault(fault)
        also_tell(fault)
    return code


def _in_a_sentence(who: str) -> str:
    return who[:1].lower() + who[1:]


def _unexpected(error: Exception, who: str, kept_safe: str, broken_code: str) -> Fault:
    """What to tell of an error that nobody on the way made a fault of."""
    import os

    if os.environ.get("DISTILL_DEBUG"):
        raise error
    refused = starved_fault(error, _in_a_sentence(who), kept_safe) or refused_by_disk(error, kept_safe)
    if refused is not None:
        # What could only be half made complains when it is thrown away; its cause has just been told.
        sys.unraisablehook = lambda _: None
        return refused
    told = error.msg if isinstance(error, SyntaxError) else str(error)
    is_broken = isinstance(error, (SyntaxError, ImportError)) or _was_importing(error)
    return Fault(
        "internal_error",
        f"{who} {'cannot load its code' if is_broken else 'has a bug'}: {type(error).__name__}: "
        f"{visible(told, 300)} ({_place_of(error)}).",
        kept_safe,
        broken_code if is_broken else "Report it with the command; DISTILL_DEBUG=1 shows the whole trace.",
    )


def _frames(error: BaseException) -> Iterator[TracebackType]:
    where = error.__traceback__
    while where is not None:
        yield where
        where = where.tb_next


def _place_of(error: BaseException) -> str:
    """``file:line`` of the innermost code; of what does not parse, its own place and not its importer's."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shown_place(error.filename)}:{error.lineno or 0}"
    frames = [*_frames(error)]
    if not frames:
        return "an unknown place"
    return f"{shown_place(frames[-1].tb_frame.f_code.co_filename)}:{frames[-1].tb_lineno}"


def _was_importing(error: BaseException) -> bool:
    """Whether a module's own top level was at work: the error is of the code, whatever it was given."""
    return any(each.tb_frame.f_code.co_name == "<module>" for each in _frames(error))
