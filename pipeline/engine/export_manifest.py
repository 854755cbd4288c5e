"""``exports/manifest.json``: what a trainer checks a copy of the exports against.

It is the last file that a commit puts in place. A folder whose manifest agrees is whole and of
one run; when scoring again turns a standing export into a breach, its manifest is voided.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.contracts.checks import CheckResult, CheckStatus, Example
from pipeline.contracts.faults import InputError
from pipeline.contracts.plurals import plural
from pipeline.engine.beside_manifest import files_beside
from pipeline.platform import confined, disk
from pipeline.schemas.export_versions import (
    VERSIONS,
    standing_manifest,
    standing_versions,
    versions_of,
    words_on_age,
)
from pipeline.storage.digests import sha256_of_file

MANIFEST_NAME = "manifest.json"
MANIFEST_VERSION = 1
STALE_SETTINGS = "stale_settings"


def manifest_of_receipt(
    receipt: Mapping[str, Any],
    run_hash: str,
    versions: Mapping[str, int],
    settings: Mapping[str, str],
    splits: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """The manifest of the exports that a stage receipt claims. Paths in it are below ``exports/``.

    ``versions`` holds the schema version of the rows of each export, ``settings`` the digest of those
    that it was written under, and ``splits`` the rule that divided it, where that is known.
    """
    claims = {output["path"]: output for output in receipt["outputs"]}
    wanted = (*paths.EXPORT_FILES.values(), paths.DECONTAMINATION, *paths.NEAR_DUPLICATE_REPORTS.values())
    exported = sorted(path for path in map(str, wanted) if path in claims)
    firewall = receipt["firewall"]
    return {
        "schema_version": MANIFEST_VERSION,
        "void": False,
        "pipeline_run_id": receipt["pipeline_run_id"],
        "run_hash": run_hash,
        "recorded_at": receipt["recorded_at"],
        "firewall": None if firewall is None else firewall.get("state"),
        "schemas": {
            export: versions[export] for export, path in paths.EXPORT_FILES.items() if str(path) in claims
        },
        "settings": {
            export: settings[export]
            for export, path in paths.EXPORT_FILES.items()
            if str(path) in claims and export in settings
        },
        "splits": {
            export: splits[export]
            for export, path in paths.EXPORT_FILES.items()
            if str(path) in claims and export in splits
        },
        "files": [
            {
                "path": path.removeprefix(f"{paths.EXPORTS}/"),
                **{name: claims[path][name] for name in ("bytes", "rows", "sha256")},
            }
            for path in exported
        ],
    }


def standing(workspace: Path) -> dict[str, Any] | None:
    """The manifest that stands; None when there is none, and for one that is damaged. Raises InputError."""
    manifest = standing_manifest(workspace)
    return manifest if isinstance(manifest.get("files"), list) else None


def versions_after(workspace: Path, written: Container[str]) -> dict[str, int]:
    """The versions once the exports ``written`` are put in place: of the others, those that stand."""
    versions = standing_versions(workspace)
    now = {name: VERSIONS[name] for name in versions if name in written}
    return {**versions, **now}


def settings_after(workspace: Path, written: Container[str], digest: str) -> dict[str, str]:
    """Digests of settings once the exports ``written`` are in place: of the others, those that stand."""
    manifest = standing(workspace) or {}
    return {**settings_of(manifest), **{name: digest for name in paths.EXPORT_FILES if name in written}}


def splits_after(workspace: Path, written: Container[str], rule: Mapping[str, Any]) -> dict[str, Any]:
    """How rows are divided once the exports ``written`` are in place: of the others, what stands."""
    said = (standing(workspace) or {}).get("splits")
    known = said.items() if isinstance(said, dict) else ()
    return {**dict(known), **{name: dict(rule) for name in paths.EXPORT_FILES if name in written}}


def settings_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Export → digest of the settings it was written under; without those of which nothing is known."""
    named = manifest.get("settings")
    known = named.items() if isinstance(named, dict) else ()
    return {name: digest for name, digest in known if name in paths.EXPORT_FILES and isinstance(digest, str)}


def voided(workspace: Path, reason: str) -> bytes | None:
    """The standing manifest with the mark that it is void, for good; None when there is none to mark.

    One that cannot be read is left: that must not hide the breach for which it would be voided.
    """
    try:
        manifest = standing(workspace)
    except InputError:
        return None
    if manifest is None:
        return None
    return orjson.dumps({**manifest, "void": True, "void_reason": reason}, option=orjson.OPT_INDENT_2) + b"\n"


def void(workspace: Path, reason: str) -> bool:
    """Mark the standing manifest as void; False when there is none. Raises StorageError."""
    data = voided(workspace, reason)
    if data is not None:
        confined.write_file(workspace, paths.EXPORT_MANIFEST, data)
    return data is not None


def verify(folder: Path, settings_digest: str | None = None) -> CheckResult:
    """Compare every file in ``folder`` with its manifest, and name those that a loader would read besides.

    What editors left is a warning, and so are exports written under other settings than those of
    ``settings_digest``: rows are judged by what their runs said. Raises InputError without a manifest.
    """
    manifest = _read(folder)
    problems: list[Example] = []
    listed = manifest["files"]
    age = words_on_age(versions_of(manifest))
    if manifest.get("void"):
        problems.append(
            Example(file=MANIFEST_NAME, text=f"voided: {manifest.get('void_reason', 'a breach')}")
        )
    for entry in listed:
        problems += _differences(folder, entry)
    if not listed:
        problems.append(Example(file=MANIFEST_NAME, text="it lists no file"))
    beside = files_beside(folder, {str(entry.get("path")) for entry in listed if isinstance(entry, dict)})
    problems += beside.problems
    left = f", {len(beside.leftovers)} left by editors" if beside.leftovers else ""
    if beside.quarantined:
        left += f", {plural(len(beside.quarantined), 'quarantined file')} (name the files that you load)"
    stale = [name for name, digest in settings_of(manifest).items() if settings_digest not in (None, digest)]
    warnings = [*beside.leftovers]
    if stale:
        told = f"warning: {STALE_SETTINGS}: {', '.join(stale)} written under other settings than today's"
        warnings.append(Example(file=MANIFEST_NAME, text=told))
        left += f", {STALE_SETTINGS}: distill run-all"
    passed = CheckStatus.WARN if warnings else CheckStatus.PASS
    return CheckResult(
        id="exports.manifest",
        phase="P4",
        required=True,
        status=CheckStatus.FAIL if problems else passed,
        examined=len(listed),
        failed=len(problems),
        threshold="every file as listed, none besides, not voided",
        observed=f"{len(listed)} files listed, {len(problems)} problems{left}",
        detail=f"run {manifest.get('pipeline_run_id')}, run_hash {manifest.get('run_hash')}"
        + (f"; {age}" if age else ""),
        examples=tuple([*problems, *warnings][:10]),
        reproduce="distill verify-export DIR",
    )


def _read(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST_NAME
    try:
        with disk.open_to_read(path) as file:
            manifest = orjson.loads(disk.read_whole(file, path))
        if isinstance(manifest, dict) and isinstance(manifest.get("files"), list):
            return manifest
        why = "it is not a manifest"
    except OSError as error:
        why = error.strerror or str(error)
    except orjson.JSONDecodeError:
        why = "it is not JSON"
    raise InputError.of(
        code="manifest_missing",
        what_happened=f"{path} cannot be used: {why}.",
        kept_safe="Nothing was changed.",
        do_next="Copy the exports again with their manifest, or write them: distill run-all",
        file=str(path),
    )


def _differences(folder: Path, entry: Any) -> list[Example]:
    try:
        relative, size, digest = str(entry["path"]), int(entry["bytes"]), str(entry["sha256"])
    except (KeyError, TypeError, ValueError):
        return [Example(file=MANIFEST_NAME, text="an entry is not readable")]
    path = folder / relative
    if relative.startswith("/") or ".." in Path(relative).parts or path.is_symlink():
        return [Example(file=relative, text="leads out of the folder")]
    try:
        if path.stat().st_size != size:
            return [Example(file=relative, text=f"{path.stat().st_size:,} bytes, the manifest says {size:,}")]
        if sha256_of_file(path) != digest:
            return [Example(file=relative, text="sha256 differs from the manifest's")]
    except OSError as error:
        return [Example(file=relative, text=error.strerror or "cannot be read")]
    return []
