"""Ask the remote, within a time limit, whether it knows the same tag.

The only place where git may speak to the outside. The repository's own settings may name
programs for it (ssh command, credential helper, upload-pack); they are overridden, and only
plain protocols are allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.platform.git import GitError, run_git
from pipeline.platform.git_objects import Repository

_PROTOCOLS = "file:https:ssh"


@dataclass(frozen=True)
class RemoteTag:
    """``moved`` only when the remote answered with another object under the same name."""

    says: str
    moved: bool = False


def compare_with_remote(root: Path, tag: str, seconds: float) -> RemoteTag:
    """What the first remote says of ``tag``; a tag that is missing here is fetched from it."""
    try:
        names = run_git(root, ["remote"]).decode("utf-8", "replace").split()
        own = Repository(root).tags().get(tag)
    except GitError as error:
        return RemoteTag(f"no remote was asked: {error}")
    if not names:
        return RemoteTag("no remote was asked: there is none")
    remote = "origin" if "origin" in names else names[0]
    reference = f"refs/tags/{tag}"
    ran = _speak(root, remote, ["ls-remote", "--end-of-options", remote, reference], seconds)
    if ran is None:
        return RemoteTag(f"{remote} did not answer within {seconds:.0f} s; the tag here is used")
    theirs = next((line.split("\t")[0] for line in ran.splitlines() if line.endswith(f"\t{reference}")), None)
    if theirs is None:
        return RemoteTag(f"{remote} has no {tag}")
    if own is None:
        fetched = _speak(
            root,
            remote,
            ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", remote, f"{reference}:{reference}"],
            seconds,
        )
        return RemoteTag(f"{tag} was fetched from {remote}" if fetched is not None else f"{tag} did not come")
    if theirs != own:
        return RemoteTag(
            f"{tag} is {own[:12]} here and {theirs[:12]} at {remote}: the tag moved.", moved=True
        )
    return RemoteTag(f"{remote} has the same {tag}")


def _speak(root: Path, remote: str, words: list[str], seconds: float) -> str | None:
    settings = (
        ("core.sshCommand", "ssh -oBatchMode=yes"),
        ("core.gitProxy", ""),
        ("credential.helper", ""),
        (f"remote.{remote}.uploadpack", "git-upload-pack"),
        (f"remote.{remote}.proxy", ""),
        ("fetch.recurseSubmodules", "false"),
    )
    environment = {"GIT_ALLOW_PROTOCOL": _PROTOCOLS, "GIT_NO_LAZY_FETCH": "0"}
    try:
        said = run_git(root, words, limit_seconds=seconds, settings=settings, environment=environment)
    except GitError:
        return None
    return said.decode("utf-8", "replace")
