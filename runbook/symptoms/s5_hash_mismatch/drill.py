"""S5.hash-mismatch: among innocent commits one that lets chance, a clock or an order into the rows."""

from __future__ import annotations

from dataclasses import dataclass

from runbook.drills.drill import Drill, Planted
from runbook.drills.scene import AIKO, INES, TOMAS, Scene
from runbook.probes.evidence import Confidence
from runbook.probes.nondeterminism import Kind
from runbook.symptoms.s5_hash_mismatch.define import ID

PEOPLE = (AIKO, INES, TOMAS)
SCORE = "pipeline/stages/score.py"
IDENTITY = "pipeline/stages/row_identity.py"


@dataclass(frozen=True)
class Chance:
    """``edits`` are (path, what stood there once, what stands there now)."""

    kind: Kind
    edits: tuple[tuple[str, str, str], ...]
    message: str


CHANCES = (
    Chance(
        Kind.CLOCK,
        (
            (
                SCORE,
                "from dataclasses import dataclass\n",
                "import time\nfrom dataclasses import dataclass\n",
            ),
            (
                SCORE,
                '        "sub_scores": _sub_scores(evidence),\n',
                '        "sub_scores": {**_sub_scores(evidence), "freshness": time.time() % 1},\n',
            ),
        ),
        "scoring: note how fresh a verdict is",
    ),
    Chance(
        Kind.RANDOM,
        (
            (
                SCORE,
                "from dataclasses import dataclass\n",
                "import random\nfrom dataclasses import dataclass\n",
            ),
            (
                SCORE,
                '        "score": strength,\n',
                '        "score": strength * (1 - random.random() * 1e-6),\n',
            ),
        ),
        "scoring: break ties",
    ),
    Chance(
        Kind.UUID,
        (
            (
                IDENTITY,
                "from hashlib import sha256\n",
                "from hashlib import sha256\nfrom uuid import uuid4\n",
            ),
            (
                IDENTITY,
                '    return f"{prefix}-{digest.hexdigest()[:16]}"\n',
                '    return f"{prefix}-{uuid4().hex[:16]}"\n',
            ),
        ),
        "exports: ids as everybody makes them",
    ),
    Chance(
        Kind.SET_ORDER,
        (
            (
                SCORE,
                '        "reasons": [rule.code.value],\n',
                '        "reasons": list({rule.code.value, category, evidence["stream"]}),\n',
            ),
        ),
        "scoring: say more about why, each thing once",
    ),
)
# Commits in which nothing is wrong, in files that make rows.
INNOCENT = (
    ("pipeline/stages/sample.py", "sample: say where it is read"),
    ("pipeline/stages/secrets.py", "secrets: a word about the patterns"),
    (SCORE, "score: a word about the signals"),
    ("pipeline/engine/reduce.py", "reduce: a word about order"),
    (IDENTITY, "ids: a word about hashes"),
)


def plant(scene: Scene) -> Planted:
    fault = scene.random.choice(CHANCES)
    before = scene.random.sample(INNOCENT, scene.random.randint(1, 2))
    after = scene.random.sample(INNOCENT, 1)
    culprit = scene.random.choice(PEOPLE)
    for path, message in before:
        _say_a_word(scene, path, message)
    for path, sound, broken in fault.edits:
        scene.edit(path, sound, broken)
    scene.commit(fault.message, author=culprit)
    for path, message in after:
        _say_a_word(scene, path, message)
    # The nightly comparison: exit 1, and a report.
    scene.engine("determinism", "--runs", "2", ends_with=1)
    return Planted(
        says=f"{culprit.name} committed “{fault.message}” among {len(before) + len(after)} innocent commits.",
        cause=str(fault.kind),
        confidence=Confidence.CERTAIN,
        offer="restore",
    )


def _say_a_word(scene: Scene, path: str, message: str) -> None:
    """A commit by somebody in which nothing is wrong."""
    author = scene.random.choice(PEOPLE)
    text = f"{scene.text(path)}# {message} ({author.name})\n"
    (scene.root / path).write_text(text, encoding="utf-8")
    scene.commit(message, author=author)


DRILL = Drill(ID, "A commit lets chance into the rows", plant)
