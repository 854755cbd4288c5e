"""Small workspaces for the runbook's tests: a repository with a tag, and an engine of forty lines."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.severity import Severity
from pipeline.contracts.status import Verdict
from pipeline.platform.engine_choice import trust_what_we_made
from runbook.change.planning import Planning
from runbook.probes.evidence import Cause, Confidence, Detection, Diagnosis, ProbeOutput
from runbook.probes.looks import Probe
from runbook.probes.workspace import Workspace
from runbook.symptom import Offer, Symptom
from runbook.wizard.session import WizardSession, open_session
from tests.git_commands import git

TAG = "distillation-v1.0.0"
SFT = "exports/sft/instruction_response.jsonl"
SETTINGS = f"""# kept comment
[workspace]
last_good_tag = "{TAG}"

[engine]
source = "workspace"
"""
# It understands: write PATH TEXT, append PATH TEXT, remove PATH, fail; any number of them.
ENGINE = '''"""An engine that does what its arguments say."""
import os, sys
from pathlib import Path
words = sys.argv[1:]
words.pop(0)
root = Path(words[words.index("-C") + 1])
del words[words.index("-C"):words.index("-C") + 2]
while words:
    verb = words.pop(0)
    if verb == "fail":
        sys.exit("asked to fail")
    path = root / words.pop(0)
    if verb == "remove":
        path.unlink()
        continue
    text = words.pop(0) + "\\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    if verb == "append":
        with path.open("a") as file:
            file.write(text)
    else:
        (path.parent / "staged").write_text(text)
        os.replace(path.parent / "staged", path)
'''


def make_workspace(root: Path, *, tag: str = TAG) -> Workspace:
    """Committed and tagged: settings, engine, two source files; untracked: an export."""
    shutil.copytree(_template(tag), root, dirs_exist_ok=True)
    trust_what_we_made(root)
    return Workspace(root)


@cache
def _template(tag: str) -> Path:
    """Made once: starting git six times takes longer than most of the tests."""
    root = Path(tempfile.mkdtemp(prefix="distill-test-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    files = {
        "distill.toml": SETTINGS.replace(TAG, tag.replace("\\", "\\\\").replace('"', '\\"')),
        ".gitignore": "data/\nexports/\nreports/\n.distill/\n",
        "pipeline/__init__.py": "",
        "pipeline/__main__.py": ENGINE,
        "pipeline/schemas/sft.py": "ALLOWED = ('accepted', 'partially_accepted')\n",
        "docs/recon/local-distillation-recon.md": "# Recon\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "all of it")
    git(root, "tag", tag)
    (root / SFT).parent.mkdir(parents=True)
    (root / SFT).write_text('{"id": "sft-1"}\n')
    return root


def planning(workspace: Workspace, incident_id: str = "i", now: float = 1_700_000_000.0) -> Planning:
    return Planning(workspace, incident_id, None, "mira", now)


def direct(workspace: Workspace, title: str = "by hand") -> WizardSession:
    return open_session(workspace, None, None, title=title)


_NOT_JUDGED = (".git/", "reports/incidents/", str(paths.SYMPTOM_LOG), str(paths.JOURNAL_MEMORY), ".distill/")


def tree(root: Path) -> dict[str, tuple[str, int]]:
    """Digest and mode of every file but git's, the incidents', what was seen or remembered, and the lock."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.startswith(_NOT_JUDGED) or "__pycache__" in name:
            continue
        if path.is_file() and not path.is_symlink():
            found[name] = (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode & 0o7777)
    return found


LEAK = "forbidden"


def seen(workspace: Workspace) -> Detection:
    """Raised while the export holds the word, and while there is no export, not known."""
    path = workspace.root / SFT
    verdict = Verdict.UNKNOWN
    if path.exists():
        verdict = Verdict.DETECTED if LEAK in path.read_text() else Verdict.CLEAR
    return Detection(
        symptom_id="S1.P4.sft-leak",
        verdict=verdict,
        observed=f"{SFT}: {verdict}",
        read_at=time.time(),
        as_of=time.time(),
    )


def named(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Diagnosis:
    cause = Cause(id="other_writer", sentence=outputs["look"].text, confidence=Confidence.CERTAIN)
    return Diagnosis(cause=cause)


def leak_symptom(*offers: Offer) -> Symptom:
    """A symptom whose detector looks for a word in the export."""

    def look(_workspace: Workspace, _seconds: float) -> ProbeOutput:
        return ProbeOutput(probe_id="look", title="look", text="somebody appended a row")

    return Symptom(
        id="S1.P4.sft-leak",
        severity=Severity.CRITICAL,
        title="A forbidden row is in SFT",
        what_you_see="BREACH",
        why="a wall is down",
        phases=("P4",),
        checks=("P4.sft-firewall",),
        detect=seen,
        classify=named,
        offers=lambda _detection, diagnosis: tuple(
            offer for offer in offers if diagnosis is not None or offer.immediate
        ),
        probes=lambda _detection: (Probe("look", "look", 1.0, look),),
    )
