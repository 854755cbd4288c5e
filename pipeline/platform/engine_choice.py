"""Which engine runs in a workspace: the installed one, or the workspace's own where a person trusts it.

A workspace may be a clone of a stranger's repository. Its ``pipeline/`` runs only when the directory is the
user's, and its bytes are trusted: because they are those of the installed engine, because the trust book
holds their digest, or because the command was told their digest. Until then whoever only looks is answered
by the installed engine, and whoever would change something is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.discovery import EngineChoice, installed_package
from pipeline.contracts.faults import ExitCode, OperatorError, SettingsError, StorageError
from pipeline.contracts.shell_words import joined
from pipeline.contracts.toml_document import parsed
from pipeline.contracts.untrusted import visible
from pipeline.platform import trust_book
from pipeline.platform.engine_copy import PACKAGE, copied
from pipeline.platform.engine_files import EngineFiles, read_engine
from pipeline.platform.lenient_json import bytes_or_empty

# The digest that ``--trust`` named, handed down to every process that a command starts.
TRUST_VARIABLE = "DISTILL_TRUST"
# What release-freeze runs where the settings name nothing else.
DEFAULT_TESTS = ("python3", "-m", "unittest", "discover", "-v", "-s", "tests")
_OWN = "engine.source"
NOT_TRUSTED = "the workspace's own code is not trusted"


class TrustNeededError(OperatorError):
    """Code of the workspace ``root`` would run that nobody has trusted.

    ``was_shown``: whoever is told has just read what it is.
    """

    exit_code = ExitCode.APPROVAL_NEEDED
    root = Path()
    was_shown = False

    def shown_before(self) -> Sequence[str]:
        """The code that would have run, as a diff: it is shown before any of it runs."""
        # By its name, as commands are opened: it asks this module what is at stake.
        lines: Sequence[str] = import_module("pipeline.platform.trust_difference").logged(self)
        return lines


@dataclass(frozen=True)
class Stakes:
    """What of a workspace would run: its engine's files, where it asks for its own, and the settings that
    name programs. ``trouble`` says why the engine cannot be read as a whole: then nobody can trust it.
    """

    root: Path
    wants_own: bool = False
    files: EngineFiles | None = None
    programs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trouble: str = ""

    @property
    def programs_digest(self) -> str:
        """Of the settings that name programs; empty when none does."""
        if not self.programs:
            return ""
        return hashlib.sha256(json.dumps(self.programs, sort_keys=True).encode()).hexdigest()

    @property
    def digest(self) -> str:
        """The one digest that a person trusts; empty where there is nothing to trust, or none to be had."""
        if self.trouble or not (self.files or self.programs):
            return ""
        engine = self.files.digest if self.files is not None else ""
        return hashlib.sha256(f"{engine}\n{self.programs_digest}\n".encode()).hexdigest()

    @property
    def is_named(self) -> bool:
        """Whether the command was told this very digest."""
        return bool(self.digest) and os.environ.get(TRUST_VARIABLE) == self.digest

    @property
    def engine_is_trusted(self) -> bool:
        """Whether the workspace's own engine may run, or it asks for none."""
        if not self.wants_own:
            return True
        if self.files is None:
            return False
        return self.is_named or is_trusted(self.files)

    @property
    def programs_are_trusted(self) -> bool:
        """Whether the programs that the settings name may be started."""
        if not self.programs or self.is_named:
            return True
        return self.programs_digest in trust_book.read_book().of(self.root).programs


def is_trusted(files: EngineFiles) -> bool:
    """Whether this code is the installed one, or one that the book holds."""
    if trust_book.read_book().has_engine(files.digest):
        return True
    try:
        return read_engine(installed_package()).digests == files.digests
    except OSError:
        return False


def stakes_of(root: Path) -> Stakes:
    """What of the workspace would run. Raises SettingsError where its engine is not the user's.

    An unreadable ``distill.toml`` asks for nothing: the installed engine then names the mistake.
    """
    settings = _settings(root)
    programs = programs_of(settings)
    section = settings.get("engine", {})
    source = section.get("source", "installed") if isinstance(section, Mapping) else "installed"
    if source != "workspace":
        return Stakes(root, programs=programs)
    refuse_others(root)
    try:
        return Stakes(root, True, read_engine(root / PACKAGE), programs)
    except OSError as error:
        return Stakes(root, True, None, programs, visible(str(error), 300))


def choose_engine(root: Path, *, to_run: bool = True) -> EngineChoice:
    """Which engine runs in the workspace ``root``.

    Where its own one is not trusted that is the installed one, and ``untrusted`` says so. Raises
    SettingsError where it is not the user's, StorageError when it cannot be copied to where it runs: one
    that is only looked at (not ``to_run``) is not copied.
    """
    if not (root / paths.SETTINGS).is_file():
        return EngineChoice("installed", None, "distill.toml is no file")
    stakes = stakes_of(root)
    if not stakes.wants_own:
        return EngineChoice("installed", None, _OWN)
    if stakes.files is None or not stakes.engine_is_trusted:
        why = f"{NOT_TRUSTED}{f' ({stakes.trouble})' if stakes.trouble else ''}"
        return EngineChoice("installed", None, why, untrusted=why)
    if not to_run:
        return EngineChoice("workspace", root, _OWN)
    return own_engine(root, stakes.files)


def own_engine(root: Path, files: EngineFiles) -> EngineChoice:
    """The engine that lies in ``root``, whose ``files`` the caller knows to be trusted. Raises StorageError,
    and SettingsError when a file changes meanwhile.
    """
    try:
        path = copied(root / PACKAGE, files)
    except OSError as error:
        raise SettingsError.of(
            "engine_changed",
            f"The workspace's engine could not be copied to run: {visible(str(error), 300)}.",
            "No code of the workspace was run.",
            "Wait until nobody changes it, then run the same command again.",
        ) from error
    return EngineChoice("workspace", root, _OWN, path)


def engine_to_change(root: Path) -> EngineChoice:
    """The engine that the workspace asks for and no other: for what changes something, or speaks of its code.

    Raises TrustNeededError where it is not trusted, and as ``choose_engine``.
    """
    choice = choose_engine(root)
    if choice.untrusted:
        raise trust_needed(root, choice.untrusted)
    return choice


def trust_needed(root: Path, why: str, *, was_shown: bool = False) -> TrustNeededError:
    try:
        digest = stakes_of(root).digest
    except SettingsError:
        digest = ""
    told = f"   (in CI: --trust {digest})" if digest else ""
    error = TrustNeededError.of(
        "trust_needed",
        f"{root}: {why}.",
        "No code of the workspace was run, and nothing was changed.",
        f"Look at it and trust it: {joined(['distill', 'trust', str(root)])}{told}",
        file=str(root / PACKAGE),
    )
    error.root, error.was_shown = root, was_shown
    return error


def refuse_others(root: Path) -> None:
    """Raises SettingsError when the workspace or its package is missing, a link, or another user's."""
    for place in (root, root / PACKAGE):
        try:
            owner = place.lstat().st_uid
        except OSError:
            owner = -1
        if owner != os.getuid() or place.is_symlink():
            raise SettingsError.of(
                code="engine_not_owned",
                what_happened=(
                    f'{place} is missing, a link, or not yours, and [engine] source = "workspace" '
                    "would run code from it."
                ),
                kept_safe="No code of the workspace was run.",
                do_next='Own the directory, or set [engine] source = "installed" in distill.toml.',
                file=str(place),
            )


def trust(stakes: Stakes) -> None:
    """Remember that what would run now is trusted. Raises StorageError."""
    trust_book.remember(
        stakes.root,
        engine=stakes.files.digest if stakes.files is not None else "",
        programs=stakes.programs_digest,
    )
    if stakes.files is not None:
        # Kept at once, because the next change is shown against it.
        own_engine(stakes.root, stakes.files)


def trust_what_we_made(root: Path) -> None:
    """Trust a workspace that this very program has built or written. Raises StorageError, SettingsError.

    Written down also where its engine is the installed one, which the next upgrade replaces; that may fail.
    """
    stakes = stakes_of(root)
    known = trust_book.read_book()
    if stakes.files is None or not known.has_engine(stakes.files.digest) or not stakes.programs_are_trusted:
        try:
            trust(stakes)
        except StorageError:
            if not (stakes.engine_is_trusted and stakes.programs_are_trusted):
                raise


def trust_follows(stakes: Stakes, before: Mapping[str, str | None]) -> bool:
    """Trust the engine as it stands if it was trusted while ``before`` was there: paths below its package
    to their digests, None for not being there. Whether it is trusted now. Raises StorageError.
    """
    if stakes.files is None or stakes.engine_is_trusted:
        return stakes.engine_is_trusted
    if not is_trusted(with_other_files(stakes.files, before)):
        return False
    trust_book.remember(stakes.root, engine=stakes.files.digest)
    return True


def with_other_files(files: EngineFiles, changes: Mapping[str, str | None]) -> EngineFiles:
    """``files`` where these paths below the package have another digest, or None for not being there."""
    digests = {path: digest for path, digest in {**files.digests, **changes}.items() if digest is not None}
    return EngineFiles(digests)


def _settings(root: Path) -> Mapping[str, object]:
    try:
        return parsed(bytes_or_empty(root / paths.SETTINGS))
    except (OSError, ValueError, RecursionError):
        return {}


def programs_of(settings: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """The settings that name programs, where they name another than every workspace has."""
    found = {}
    for section, key, default in (("alert", "command", ()), ("release", "tests", DEFAULT_TESTS)):
        table = settings.get(section)
        value = table.get(key) if isinstance(table, Mapping) else None
        words = (
            tuple(map(str, value)) if isinstance(value, list) else (value,) if isinstance(value, str) else ()
        )
        if words and words != default:
            found[f"{section}.{key}"] = words
    return found
