"""S5.hash-mismatch: among innocent commits one that lets chance, a clock or an order into the rows."""

from __future__ import annotations

from runbook.drills.drill import Drill, Planted, Scene
from runbook.probes.nondeterminism import Kind
from runbook.symptoms.s5_hash_mismatch import ID

SCORE = "pipeline/stages/score.py"
IDENTITY = "pipeline/stages/row_identity.py"


_IMPORTS = "from dataclasses import dataclass\n"
# Which chance it is, the slips that bring it in, and what the commit says.
CHANCES = (
    (
        Kind.CLOCK,
        (
            (SCORE, _IMPORTS, f"import time\n{_IMPORTS}"),
            (
                SCORE,
                '        "sub_scores": _sub_scores(evidence),\n',
                '        "sub_scores": {**_sub_scores(evidence), "freshness": time.time() % 1},\n',
            ),
        ),
        "scoring: note how fresh a verdict is",
    ),
    (
        Kind.RANDOM,
        (
            (SCORE, _IMPORTS, f"import random\n{_IMPORTS}"),
            (
                SCORE,
                '        "score": strength,\n',
                '        "score": strength * (1 - random.random() * 1e-6),\n',
            ),
        ),
        "scoring: break ties",
    ),
    (
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
    (
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
    kind, edits, what = scene.random.choice(CHANCES)
    before = scene.random.sample(INNOCENT, scene.random.randint(1, 2))
    after = scene.random.sample(INNOCENT, 1)
    culprit = scene.anybody()
    for path, message in before:
        _say_a_word(scene, path, message)
    for path, sound, broken in edits:
        scene.edit(path, sound, broken)
    scene.commit(what, author=culprit)
    for path, message in after:
        _say_a_word(scene, path, message)
    # The nightly comparison: exit 1, and a report.
    scene.engine("determinism", "--runs", "2", ends_with=1)
    return Planted(
        says=f"{culprit.name} committed “{what}” among {len(before) + len(after)} innocent commits.",
        cause=str(kind),
        offer="restore",
    )


def _say_a_word(scene: Scene, path: str, message: str) -> None:
    """A commit by somebody in which nothing is wrong."""
    author = scene.anybody()
    text = f"{scene.text(path)}# {message} ({author.name})\n"
    (scene.root / path).write_text(text, encoding="utf-8")
    scene.commit(message, author=author)


DRILL = Drill(ID, "A commit lets chance into the rows", plant)
