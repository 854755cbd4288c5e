"""An incident: its folder, journal, lease and store of kept bytes.

``reports/incidents/<id>/`` holds ``journal.jsonl``, ``head.json`` (where that ended),
``incident.json`` (what it is), ``incident.md`` (the hand-over), ``kept/<sha256>`` (originals and new
content; a large one is packed as ``kept/<sha256>.gz`` once its plan is done) and ``lease`` (who may
act; told by ``flock``, never by the words in it).
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import re
import shutil
import stat
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import WorkspaceLockedError
from pipeline.contracts.moments import now_utc
from pipeline.contracts.plurals import plural
from pipeline.platform import confined, disk, disk_faults, lock
from pipeline.platform.identity import user_name
from pipeline.reading.incident_journal import Problem, record_problems
from pipeline.reading.incidents import (
    FACTS,
    HEAD,
    JOURNAL,
    Head,
    incident_ids,
    is_at_its_beginning,
    is_incident_id,
    read_facts,
)
from runbook.change.files import make_folder, plain_only
from runbook.change.journal import KEPT, NO_JOURNAL, Journal, write_facts
from runbook.change.refusals import NOTHING_CHANGED, refused

INCIDENT_VERSION = 1
LEASE = "lease"
PACKED = ".gz"
_LINK_FROM_BYTES = 64 * 2**20
_PACK_FROM_BYTES = 1 * 2**20
_PIECE = 2**20


class Incident:
    """The incident ``incident_id`` of the workspace at ``root``."""

    def __init__(self, root: Path, incident_id: str, *, durable: bool = True) -> None:
        self.root = root
        self.id = incident_id
        self.folder = root / paths.INCIDENTS / incident_id
        self._durable = durable
        self.journal = Journal(self.folder, incident_id, durable=durable)

    @property
    def facts(self) -> dict[str, Any]:
        return read_facts(self.folder)

    @property
    def symptom_id(self) -> str | None:
        """None for what was done directly (quarantine, restore), without a wizard."""
        found = self.facts.get("symptom_id")
        return found if isinstance(found, str) else None

    @contextlib.contextmanager
    def made_or_gone(self) -> Iterator[None]:
        """The new folder goes again where the block, which opens the incident, raises: it is empty yet."""
        try:
            yield
        except Exception:
            with contextlib.suppress(OSError):
                if is_at_its_beginning(self.folder) and not self.journal.has_entries():
                    for name in (FACTS, JOURNAL, HEAD):
                        disk.discard(self.folder / name)
                    with contextlib.suppress(FileNotFoundError):
                        disk.operations.rmdir(self.folder / KEPT)
                    disk.operations.rmdir(self.folder)
            raise

    def problems(self, heads: Mapping[str, Head]) -> list[Problem]:
        """What is wrong with its record; ``heads`` are those that the last audit saw. Raises StorageError."""
        try:
            return record_problems(self.root, self.id, heads)
        except OSError as error:
            raise disk_faults.storage_fault(error, self.folder, NOTHING_CHANGED, doing="read") from error

    def keep(self, data: bytes) -> str:
        """Store bytes under their digest. Raises StorageError."""
        digest = hashlib.sha256(data).hexdigest()
        target = self.folder / KEPT / digest
        if not target.exists():
            try:
                confined.put(self.folder, f"{KEPT}/{digest}", data)
            except OSError as error:
                raise disk_faults.storage_fault(error, target, NOTHING_CHANGED) from error
        return digest

    def keep_file(self, root: Path, relative: str, digest: str, *, link: bool = True) -> None:
        """Store a file's present bytes before they are replaced. Raises StorageError, RefusedError.

        A large one is linked where its replacement comes by rename, which leaves the old bytes.
        """
        target = self.folder / KEPT / digest
        if self._stored(digest) is not None:
            return
        try:
            with plain_only(relative), confined.folder_of(root, relative) as (folder, name):
                source = confined.open_plain(folder, name, root / relative)
                try:
                    if link and os.fstat(source).st_size >= _LINK_FROM_BYTES:
                        with contextlib.suppress(OSError):
                            disk.operations.link(name, target, source_in=folder)
                            disk.sync_folder(target.parent)
                            return
                    _copy(source, root / relative, target, digest)
                finally:
                    os.close(source)
        except OSError as error:
            raise disk_faults.storage_fault(error, target, NOTHING_CHANGED) from error

    def kept(self, digest: str) -> bytes:
        """Bytes from the store, checked. Raises StorageError when they are gone or damaged."""
        target = self._stored(digest) or self.folder / KEPT / digest
        try:
            data = disk.read_plain(target)
            if target.suffix == PACKED:
                data = gzip.decompress(data)
            if hashlib.sha256(data).hexdigest() != digest:
                raise OSError(5, "its bytes are damaged")
        except (OSError, EOFError, zlib.error) as error:
            failed = error if isinstance(error, OSError) else OSError(5, "its bytes are damaged")
            raise disk_faults.storage_fault(failed, target, NOTHING_CHANGED, doing="read") from error
        return data

    def _stored(self, digest: str) -> Path | None:
        """The file that holds these bytes, plain or packed."""
        plain = self.folder / KEPT / digest
        packed = plain.with_name(f"{digest}{PACKED}")
        return next((path for path in (plain, packed) if path.is_file()), None)

    def pack_kept(self) -> None:
        """Pack large kept files that nothing else links. What cannot be packed (a full disk) stays plain."""
        if not self._durable:
            return  # a rehearsal's store goes away with its copy
        with contextlib.suppress(OSError):
            for path in sorted((self.folder / KEPT).iterdir()):
                status = path.stat(follow_symlinks=False)
                # A second link is the file in its place: it was not replaced, and packing would double it.
                is_single = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
                if is_single and status.st_size >= _PACK_FROM_BYTES and not path.suffix:
                    _pack(path)

    @contextlib.contextmanager
    def lease(self) -> Iterator[None]:
        """Be the one who acts on this incident. Raises WorkspaceLockedError, naming the holder."""
        try:
            held = lock.take(self.root, self._lease, {"command": f"incident {self.id}"})
        except lock.LockHeldError as error:
            raise self._held(error.holder) from error
        except OSError as error:
            raise disk_faults.storage_fault(error, self.folder / LEASE, NOTHING_CHANGED) from error
        try:
            yield
        finally:
            held.release()

    @property
    def _lease(self) -> PurePosixPath:
        return paths.INCIDENTS / self.id / LEASE

    def lease_holder(self) -> lock.Holder | None:
        """Who acts on it now; None when nobody does, or it cannot be told, whatever the file says."""
        try:
            return lock.holder_of(self.root, self._lease)
        except OSError:
            return None

    def _held(self, holder: lock.Holder) -> WorkspaceLockedError:
        return WorkspaceLockedError.of(
            "incident_held",
            f"Incident {self.id} is worked on by {holder.named()} since {holder.since_words}.",
            "Nothing was changed; you may read it: distill incident show.",
            "Talk to them, or wait until their session ends; a dead one lets go by itself.",
            file=str(self.folder / LEASE),
        )


def _copy(source: int, path: Path, target: Path, digest: str) -> None:
    """Copy an open file into the store. Raises OSError when its bytes are not those of ``digest``."""
    read = hashlib.sha256()
    with disk.replacing(target) as descriptor:
        while piece := disk.read_some(source, 2**20, path):
            read.update(piece)
            disk.write_all(descriptor, piece)
        if read.hexdigest() != digest:
            raise OSError(5, "the file changed while it was kept")


def _pack(plain: Path) -> None:
    """Replace a kept file by its gzip, once that reads back as the same bytes. Raises OSError."""
    packed = plain.with_name(f"{plain.name}{PACKED}")
    with (
        disk.replacing(packed) as descriptor,
        disk.open_to_read(plain) as source,
        gzip.GzipFile(fileobj=disk.as_file(descriptor), mode="wb", mtime=0) as target,
    ):
        shutil.copyfileobj(source, target, _PIECE)
    read = hashlib.sha256()
    with gzip.open(packed) as back:
        while piece := back.read(_PIECE):
            read.update(piece)
    smaller = packed.stat().st_size < plain.stat().st_size
    unwanted = plain if smaller and read.hexdigest() == plain.name else packed
    disk.operations.unlink(unwanted)


def open_incident(
    root: Path, symptom_id: str | None, title: str, *, name: str | None = None, durable: bool = True
) -> Incident:
    """A new incident's folder, with an id that nobody else has. Raises StorageError.

    The id is the minute and the symptom's id, or ``name``.
    """
    now = datetime.now(UTC)
    subject = (symptom_id or name or title).lower()
    slug = re.sub(r"[^a-z0-9]+", "-", subject).strip("-")[:60] or "incident"
    stem = f"{now:%Y%m%d-%H%M}-{slug}"
    parent = root / paths.INCIDENTS
    try:
        make_folder(root, str(paths.INCIDENTS))
        number = 1
        while True:
            incident = Incident(root, stem if number == 1 else f"{stem}-{number}", durable=durable)
            try:
                disk.operations.mkdir(incident.folder)
                break
            except FileExistsError:
                number += 1
        with incident.made_or_gone():
            disk.operations.mkdir(incident.folder / KEPT)
            write_facts(
                incident.folder,
                {
                    "schema_version": INCIDENT_VERSION,
                    "incident_id": incident.id,
                    "symptom_id": symptom_id,
                    "title": title,
                    "opened_at": now_utc(),
                    "opened_by": user_name(),
                },
            )
            disk.sync_folder(parent)
    except OSError as error:
        raise disk_faults.storage_fault(error, parent, NO_JOURNAL) from error
    return incident


def known_incidents(root: Path) -> list[str]:
    """Every incident, oldest first. Raises StorageError where that cannot be told."""
    try:
        return incident_ids(root)
    except OSError as error:
        raise disk_faults.storage_fault(
            error, root / paths.INCIDENTS, NOTHING_CHANGED, doing="read"
        ) from error


def load_incident(root: Path, incident_id: str) -> Incident:
    """An incident by its id, or by a beginning that only one has. Raises RefusedError, StorageError."""
    known = known_incidents(root)
    found = (
        [incident_id] if incident_id in known else [each for each in known if each.startswith(incident_id)]
    )
    if len(found) != 1 or not is_incident_id(incident_id):
        what = (
            f"No incident is called {incident_id!r}."
            if not found
            else f"The ids of {plural(len(found), 'incident')} begin with {incident_id!r}."
        )
        raise refused("no_incident", what, "See all of them: distill incident list")
    return Incident(root, found[0])
