"""Files beside the exports: what a trainer's loader would read there although no run put it there.

Loaders take a folder and read whatever bears a name of theirs, also below it and compressed. A file
under ``exports/`` is accounted for when it is an export, a report of the engine, a quarantine file that
a receipt names, or a formatted file (``formatted.py`` holds those against their receipts). Any
other file that would be read is a finding with line 0, and so is a README that tells loaders to read any
other (``named_files.py``). Editors' leftovers are a warning.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from pipeline.contracts import paths
from pipeline.firewall import named_files, open_commit
from pipeline.firewall.causes import read_json
from pipeline.firewall.grace import Doubt, doubt_of
from pipeline.firewall.loaded_names import is_loaded
from pipeline.firewall.places import Places
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular
from pipeline.firewall.report import Finding, Findings, Report, State

# Whatever a file is called, a loader that is told its format reads it.
_BEGINNINGS = (b"PAR1", b"ARROW1")
_LEFTOVERS = ("*~", ".*.sw?", "#*#", ".#*")
_RECEIPT_SUFFIX = ".receipt.json"
_WRITTEN = frozenset(
    (
        *paths.EXPORT_FILES.values(),
        paths.EXPORT_MANIFEST,
        paths.DECONTAMINATION,
        *paths.NEAR_DUPLICATE_REPORTS.values(),
    )
)
# A workspace may keep these elsewhere, behind a link; a link to any other folder is a second way in.
_FOLDERS = frozenset(
    (paths.QUARANTINE, paths.FORMATTED, *(each.parent for each in paths.EXPORT_FILES.values()))
)
_PATIENCE_SECONDS = 1.0
_NOT_WRITTEN = "no run wrote this file, and a loader that is given the folder would read it"
_LEFT = "an editor left this file here"
_LINKED = "a link to a folder: a loader that is given the exports would read what is in it"


@dataclass(frozen=True)
class Beside:
    """What lies beside the exports, as paths relative to the workspace.

    ``forbidden`` has what is to be said of each; ``unknown`` is why not all were seen.
    """

    forbidden: tuple[tuple[str, str], ...] = ()
    leftovers: tuple[str, ...] = ()
    unknown: str = ""


def survey(root: Path) -> Beside:
    """Every file below ``exports/`` that is not accounted for. Raises nothing that a file can cause."""
    troubles: list[OSError] = []
    unclear: list[str] = []
    forbidden, leftovers, quarantine = [], [], []
    for place, is_link_to_folder in _files(root, troubles.append):
        name = place.name
        if name.lower() in named_files.READ_BY_LOADERS and not is_link_to_folder:
            try:
                forbidden += [(_shown(place), why) for why in named_files.what_is_wrong(root, place)]
            except named_files.UnclearError as error:
                unclear.append(f"{_shown(place)}: which files it tells loaders to read is unclear: {error}")
            continue
        if paths.QUARANTINE_MARK in name or place in _WRITTEN:
            continue
        if any(fnmatchcase(name, pattern) for pattern in _LEFTOVERS):
            leftovers.append(_shown(place))
        elif name.startswith("."):
            continue  # loaders pass over hidden files
        elif is_link_to_folder:
            forbidden.append((_shown(place), _LINKED))
        elif not (is_loaded(place) or _is_table(root, place, unclear)) or _is_of_formats(root, place):
            continue
        elif place in paths.QUARANTINE_FILES.values():
            quarantine.append(place)
        else:
            forbidden.append((_shown(place), _NOT_WRITTEN))
    named = _named_by_receipts(root, frozenset(quarantine))
    forbidden += [(_shown(place), _NOT_WRITTEN) for place in quarantine if place not in named]
    unclear += [f"{paths.EXPORTS} cannot be listed: {trouble.strerror}" for trouble in troubles]
    return Beside(tuple(sorted(forbidden)), tuple(sorted(leftovers)), next(iter(sorted(unclear)), ""))


def _is_table(root: Path, place: PurePosixPath, unclear: list[str]) -> bool:
    """Whether a file is Parquet or Arrow under another name. One that cannot be read goes to ``unclear``."""
    path = root / place
    try:
        descriptor = open_regular(path)
    except FileMissingError:
        return False
    except FileRefusedError as refused:
        if path.is_file():  # a pipe or a device is no table
            unclear.append(f"{_shown(place)}: whether a loader would read it is unclear: {refused}")
        return False
    try:
        return os.read(descriptor, 8).startswith(_BEGINNINGS)
    except OSError as error:
        unclear.append(f"{_shown(place)}: whether a loader would read it is unclear: {error.strerror}")
        return False
    finally:
        os.close(descriptor)


def joined(report: Report, beside: Beside) -> Report:
    """The report with what lies beside. Of a file that another look has a finding of, nothing is added."""
    found, warned = Findings(), Findings()
    told = {file.get("file") for file in report.formatted if file.get("state") == "unaccounted"}
    for file, detail in beside.forbidden:
        if file not in told:
            found.add(Finding("lineage", file, 0, 0, None, None, detail))
    for file in beside.leftovers:
        warned.add(Finding("lineage", file, 0, 0, None, None, _LEFT))
    state, detail = report.state, report.detail
    if beside.unknown and state in (State.CLEAR, State.ABSENT):
        state, detail = State.UNKNOWN, beside.unknown
    return replace(
        report,
        state=State.BREACH if found.count else state,
        detail=detail,
        findings=report.findings.joined(found) if found.count else report.findings,
        warnings=report.warnings.joined(warned) if warned.count else report.warnings,
    )


class BesideWatch:
    """The survey for a watcher.

    Whoever writes a file may write its receipt a moment later: what is new and forbidden counts when it
    stays so for a second. While a run commits, only some of its files are in place.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: dict[str, float] = {}
        self._told = Beside()
        self._was_told = False
        self.is_settled = True
        self.doubt: Doubt | None = None

    def look(self, places: Places) -> Beside:
        """What is known now; ``doubt`` says that a file is in its second of grace."""
        self.doubt = None
        if places.root is None or not places.is_live or open_commit.is_open(places.root):
            return self._told
        found, at = survey(places.root), self._clock()
        self._since = {file: self._since.get(file, at) for file, _ in found.forbidden}
        counted = [each for each in found.forbidden if at - self._since[each[0]] >= _PATIENCE_SECONDS]
        self.is_settled = len(counted) == len(found.forbidden)
        self._told = replace(found, forbidden=tuple(counted))
        if self.is_settled:
            self._was_told = True
        else:
            self.doubt = doubt_of("files beside the exports", self._was_told)
        return self._told


def _files(root: Path, failed: Callable[[OSError], None]) -> Iterator[tuple[PurePosixPath, bool]]:
    """Each file below ``exports/``, and each link to a folder there that is not one of the workspace's own.

    Hidden folders are left out, as loaders leave them out.
    """
    starts = [paths.EXPORTS, *(folder for folder in sorted(_FOLDERS) if (root / folder).is_symlink())]
    for start in starts:
        for at, folders, names in os.walk(root / start, onerror=lambda error: _unless_gone(error, failed)):
            here = PurePosixPath(Path(at).relative_to(root).as_posix())
            folders[:] = [
                name for name in folders if not name.startswith(".") and paths.QUARANTINE_MARK not in name
            ]
            for name in folders:
                is_known = here == paths.FORMATTED or here / name in _FOLDERS
                if not is_known and (root / here / name).is_symlink():
                    yield here / name, True
            for name in names:
                yield here / name, False


def _unless_gone(error: OSError, failed: Callable[[OSError], None]) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        failed(error)


def _is_of_formats(root: Path, place: PurePosixPath) -> bool:
    """Whether a file is a formatted one that the look at formats accounts for, or the receipt of one."""
    if place.name.endswith(_RECEIPT_SUFFIX) and {paths.FORMATTED, paths.FORMAT_RECEIPTS} & set(place.parents):
        if (root / place).with_name(place.name.removesuffix(_RECEIPT_SUFFIX)).is_file():
            return True  # whether it holds, the look at formats says
        receipt = read_json(root / place)
        return isinstance(receipt, dict) and isinstance(receipt.get("output"), dict)
    if paths.FORMATTED not in place.parents:
        return False
    return place.parent != paths.FORMATTED or place.suffix == ".jsonl"


def _named_by_receipts(root: Path, wanted: frozenset[PurePosixPath]) -> set[PurePosixPath]:
    """Which of the files the receipts of finished exports name, from the newest run back.

    All of them where no such receipt is left: whoever tidies reports away has written no file.
    """
    named: set[PurePosixPath] = set()
    is_any_left = False
    try:
        runs = sorted(os.listdir(root / paths.REPORTS), reverse=True) if wanted else []  # noqa: PTH208 - names alone
    except OSError:
        return set(wanted)
    for run in runs:
        value = read_json(root / paths.receipts_folder(run) / "export.json")
        if isinstance(value, dict) and value.get("ok") is True and isinstance(value.get("outputs"), list):
            is_any_left = True
            claims = (output.get("path") for output in value["outputs"] if isinstance(output, dict))
            named |= wanted & {PurePosixPath(path) for path in claims if isinstance(path, str)}
        if named == wanted:
            break
    return named if is_any_left else set(wanted)


def _shown(place: PurePosixPath) -> str:
    """The path as text that can be written as UTF-8, whatever bytes the name is of."""
    return os.fsencode(place).decode("utf-8", "backslashreplace")
