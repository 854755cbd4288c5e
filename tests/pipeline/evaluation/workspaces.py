"""Ten tasks of five attempts, and a test set beside them that the settings declare or not."""

from __future__ import annotations

from pathlib import Path

from tests.pipeline.engine.workspaces import encoded, flat_line

DECLARED = """
[[evaluation]]
name = "services"
path = "test_set.jsonl"
prompt = "q"
"""


def make(root: Path, question: str, settings: str) -> Path:
    """``question`` is the one item of the test set."""
    (root / "data/_kb").mkdir(parents=True)
    (root / "data/_kb/runs.jsonl").write_bytes(encoded([flat_line(number) for number in range(50)]))
    (root / "test_set.jsonl").write_bytes(encoded([{"q": question}]))
    (root / "distill.toml").write_text(settings, encoding="utf-8")
    return root
