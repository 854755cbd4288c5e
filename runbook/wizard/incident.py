"""An incident: its folder, journal, lease and store of kept bytes.

``reports/incidents/<id>/`` holds ``journal.jsonl``, ``head.json`` (where that ended),
``incident.json`` (what it is), ``incident.md`` (the hand-over), ``kept/<sha256>`` (originals and new
content) and ``lease`` (who may act; told by ``flock``, never by the words in it).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, WorkspaceLockedError
from runbook.change.files import checked, parent_of
from runbook.probes.actor import actor_name, host_name
from runbook.probes.json_objects import object_of
from runbook.wizard.journal import Journal, read_facts, sync_folder, write_durably, write_facts
from runbook.wizard.refusals import disk_refused, refused

INCIDENT_VERSION = 1
KEPT = "kept"
LEASE = "lease"
_LINK_FROM_BYTES = 64 * 2**20
_ID = re.compile(r"[0-9a-z][0-9a-zA-Z.-]{0,120}\Z")


class Incident:
    """The incident ``incident_id`` of the workspace at ``root``."""

    def __init__(self, root: Path, incident_id: str, *, durable: bool = True) -> None:
        self.root = root
        self.id = incident_id
        self.folder = root / paths.INCIDENTS / incident_id
        self.journal = Journal(self.folder, incident_id, durable=durable)

    @property
    def facts(self) -> dict[str, Any]:
        return read_facts(self.folder)

    @property
    def symptom_id(self) -> str | None:
        """None for what was done directly (quarantine, restore), without a wizard."""
        found = self.facts.get("symptom_id")
        return found if isinstance(found, str) else None

    def keep(self, data: bytes) -> str:
        """Store bytes under their digest. Raises StorageError."""
        digest = hashlib.sha256(data).hexdigest()
        target = self.folder / KEPT / digest
        if not target.exists():
            try:
                write_durably(target, data)
            except OSError as error:
                raise disk_refused(error, str(target), "Nothing was changed.") from error
        return digest

    def keep_file(self, root: Path, relative: str, digest: str, *, link: bool = True) -> None:
        """Store a file's present bytes before they are replaced. Raises StorageError, RefusedError.

        A large one is linked where its replacement comes by rename, which leaves the old bytes.
        """
        target = self.folder / KEPT / digest
        if target.exists():
            return
        try:
            with parent_of(root, relative) as (folder, name):
                if link and os.stat(name, dir_fd=folder, follow_symlinks=False).st_size >= _LINK_FROM_BYTES:
                    with contextlib.suppress(OSError):
                        os.link(name, target, src_dir_fd=folder, follow_symlinks=False)
                        sync_folder(target.parent)
                        return
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as source:
                    self._copy(source, target, digest)
        except OSError as error:
            raise disk_refused(error, str(target), "Nothing was changed.") from error

    def _copy(self, source: Any, target: Path, digest: str) -> None:
        temporary = target.with_name(f".{digest[:16]}.{os.getpid()}.tmp")
        read = hashlib.sha256()
        with temporary.open("wb") as file:
            while piece := source.read(2**20):
                read.update(piece)
                file.write(piece)
            file.flush()
            os.fchmod(file.fileno(), 0o600)
            os.fsync(file.fileno())
        if read.hexdigest() != digest:
            temporary.unlink()
            raise OSError(5, "the file changed while it was kept")
        temporary.replace(target)
        sync_folder(target.parent)

    def kept(self, digest: str) -> bytes:
        """Bytes from the store, checked. Raises StorageError when they are gone or damaged."""
        target = self.folder / KEPT / digest
        try:
            data = target.read_bytes()
            if hashlib.sha256(data).hexdigest() != digest:
                raise OSError(5, "its bytes are damaged")
        except OSError as error:
            raise disk_refused(error, str(target), "Nothing was changed.") from error
        return data

    @contextlib.contextmanager
    def lease(self) -> Iterator[None]:
        """Be the one who acts on this incident. Raises WorkspaceLockedError, naming the holder."""
        path = self.folder / LEASE
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise self._held() from error
            holder = {"pid": os.getpid(), "host": host_name(), "user": actor_name(), "since": _now()}
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(holder).encode() + b"\n", 0)
            yield
        finally:
            os.close(descriptor)

    def lease_holder(self) -> dict[str, Any] | None:
        """Who acts on it now; None when nobody does, whatever the file says."""
        try:
            descriptor = os.open(self.folder / LEASE, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        except BlockingIOError:
            return object_of(os.pread(descriptor, 4096, 0))
        finally:
            os.close(descriptor)

    def _held(self) -> WorkspaceLockedError:
        holder = self.lease_holder() or {}
        who = f"{holder.get('user', 'somebody')} (pid {holder.get('pid', '?')} on {holder.get('host', '?')})"
        return WorkspaceLockedError(
            Fault(
                "incident_held",
                f"Incident {self.id} is worked on by {who} since {holder.get('since', 'an unknown time')}.",
                "Nothing was changed; you may read it: distill incident show.",
                "Talk to them, or wait until their session ends; a dead one lets go by itself.",
                file=str(self.folder / LEASE),
            )
        )


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
        checked(str(paths.INCIDENTS))
        _make_folders(root)
        number = 1
        while True:
            incident = Incident(root, stem if number == 1 else f"{stem}-{number}", durable=durable)
            try:
                incident.folder.mkdir(mode=0o700)
                break
            except FileExistsError:
                number += 1
        (incident.folder / KEPT).mkdir(mode=0o700)
        write_facts(
            incident.folder,
            {
                "schema_version": INCIDENT_VERSION,
                "incident_id": incident.id,
                "symptom_id": symptom_id,
                "title": title,
                "opened_at": _now(),
                "opened_by": actor_name(),
            },
        )
        sync_folder(parent)
    except OSError as error:
        raise disk_refused(error, str(parent), "Without its journal nothing is done.") from error
    return incident


def _make_folders(root: Path) -> None:
    # Walked without following links: a linked reports/ would carry the journal out of the workspace.
    with parent_of(root, str(paths.INCIDENTS / "x"), make=[]):
        pass


def load_incident(root: Path, incident_id: str) -> Incident:
    """An incident by its id, or by a beginning that only one has. Raises RefusedError."""
    known = incident_ids(root)
    found = (
        [incident_id] if incident_id in known else [each for each in known if each.startswith(incident_id)]
    )
    if len(found) != 1 or not _ID.match(incident_id):
        what = "No incident is" if not found else f"{len(found)} incidents are"
        raise refused(
            "no_incident", f"{what} called {incident_id!r}.", "See all of them: distill incident list"
        )
    return Incident(root, found[0])


def is_incident_id(name: str) -> bool:
    """Whether an incident may be called so: one plain name, no path."""
    return _ID.match(name) is not None


def incident_ids(root: Path) -> list[str]:
    """Every incident, oldest first."""
    try:
        names = [each.name for each in (root / paths.INCIDENTS).iterdir() if each.is_dir()]
    except OSError:
        return []
    return sorted(name for name in names if is_incident_id(name))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
