"""docs/settings.md says what the model says."""

from __future__ import annotations

import re

from pipeline.settings.model import Settings, StreamSettings
from pipeline.settings.origin import leaves
from pipeline.settings.reference import page

STREAM = StreamSettings.model_validate({"name": "s", "path": "s.jsonl", "preset": "p"})


def test_every_key_has_its_row_with_a_meaning() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*) \|$", page(), re.MULTILINE)
    keys = {name.rpartition(".")[2] for name, _, _ in leaves(Settings(streams=(STREAM,)))}
    assert keys <= {key for key, *_ in rows}
    assert all(cell for row in rows for cell in row)
