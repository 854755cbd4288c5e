"""A command that gets too few descriptors says so in three lines: that is no bug, and nothing was seen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.contracts.faults import ExitCode
from pipeline.platform.process import run
from tests.runbook.symptoms.walked import filled
from tests.waiting import LIMIT_SECONDS

# The interpreter itself needs one beside the standard streams.
FEWEST = 5
CONSOLE = ("-P", "-m", "console")
ENGINE = ("-P", "-m", "pipeline")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("starved") / "w").root


@pytest.mark.parametrize("descriptors", [FEWEST, FEWEST + 1, FEWEST + 3])
@pytest.mark.parametrize(
    ("module", "words"),
    [
        (CONSOLE, ("watch", "--once")),
        (CONSOLE, ("runbook", "detect")),
        (CONSOLE, ("status",)),
        (ENGINE, ("run-all",)),
        (ENGINE, ("audit-full", "--no-append")),
        (ENGINE, ("export-sft",)),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_it_has_no_bug(root: Path, module: tuple[str, ...], words: tuple[str, ...], descriptors: int) -> None:
    starved = f'ulimit -n {descriptors}; exec "{sys.executable}" "$@"'
    argv = ["/bin/sh", "-c", starved, "python", *module, *words, "-C", str(root)]
    done = run(argv, limit_seconds=LIMIT_SECONDS)
    assert done.exit_code in (ExitCode.NOT_EVALUABLE, ExitCode.NOT_EVALUATED), done.narration
    for word in (" bug", "Traceback", "Exception ignored", "Warning"):
        assert word not in done.narration
