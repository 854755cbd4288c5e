"""What must hold in this workspace at any time, run or no run. Standard library only.

Run with ``python3 -m unittest discover -v -s tests`` or with pytest. Release-freeze runs them.
What does not exist yet is skipped with a reason: nothing examined is not a pass.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WORKSPACE = Path(__file__).resolve().parent.parent
SFT = WORKSPACE / "exports" / "sft" / "instruction_response.jsonl"
PREFERENCE = WORKSPACE / "exports" / "preference" / "chosen_rejected.jsonl"
SCORED = WORKSPACE / "data" / "scored-runs"
REPORTS = WORKSPACE / "reports" / "distillation"
GOLDEN = WORKSPACE / "tests" / "golden"
MAY_ENTER_SFT = {"accepted", "partially_accepted"}


def distill(*arguments: str, workspace: Path = WORKSPACE) -> subprocess.CompletedProcess[str]:
    """Run ``distill`` on a workspace: the one on PATH, else the one of this interpreter."""
    program = shutil.which("distill")
    command = [program] if program else [sys.executable, "-P", "-m", "console"]
    return subprocess.run(
        [*command, *arguments, "-C", str(workspace)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file. A repeated key is refused: readers disagree on which one counts."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        row = dict(pairs)
        if len(row) != len(pairs):
            raise AssertionError(f"{path}: a row repeats a key")
        return row

    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line, object_pairs_hook=once)


class Settings(unittest.TestCase):
    def test_the_settings_are_valid(self) -> None:
        done = distill("config", "show", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("values", json.loads(done.stdout))


class Streams(unittest.TestCase):
    """``tests/golden/STREAM.jsonl``: source lines of shapes that were met, and the fields they give."""

    def test_each_golden_line_still_becomes_evidence(self) -> None:
        files = sorted(GOLDEN.glob("*.jsonl"))
        if not files:
            self.skipTest("no golden line yet")
        with (WORKSPACE / "distill.toml").open("rb") as settings:
            streams = {stream["name"]: stream for stream in tomllib.load(settings)["stream"]}
        for file in files:
            for number, golden in enumerate(rows(file), 1):
                with self.subTest(f"{file.name}:{number}"):
                    self.assertIn(file.stem, streams)
                    found = self.surveyed(streams[file.stem], golden["line"])
                    self.assertEqual(found["mapped"], 1, found["reasons"])
                    self.assertEqual(set(golden["gives"]) & set(found["fields_never_found"]), set())

    def surveyed(self, stream: dict[str, Any], line: dict[str, Any]) -> dict[str, Any]:
        """What the settings make of that one line, in a workspace that holds nothing else."""
        first = stream["path"] if isinstance(stream["path"], str) else stream["path"][0]
        if '"lookup"' in json.dumps(stream) or "[" in first or Path(first).is_absolute():
            self.skipTest("the stream needs more than its own line")
        with tempfile.TemporaryDirectory() as folder:
            alone = Path(folder) / "alone"
            alone.mkdir(mode=0o700)
            shutil.copy(WORKSPACE / "distill.toml", alone)
            if (WORKSPACE / "pipeline").is_dir():
                shutil.copytree(WORKSPACE / "pipeline", alone / "pipeline")
            source = alone / first.replace("**", "golden").replace("*", "golden").replace("?", "x")
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(json.dumps(line) + "\n", encoding="utf-8")
            done = distill("streams", "check", "--stream", stream["name"], "--json", workspace=alone)
        (found,) = json.loads(done.stdout)["streams"]
        return dict(found)


class Exports(unittest.TestCase):
    def test_no_row_of_the_sft_file_has_a_forbidden_label(self) -> None:
        if not SFT.exists():
            self.skipTest("no SFT file yet")
        for number, row in enumerate(rows(SFT), 1):
            self.assertIn(row.get("quality_score"), MAY_ENTER_SFT, f"{SFT}:{number}")

    def test_no_row_of_the_sft_file_comes_from_a_run_the_scorer_refused(self) -> None:
        if not SFT.exists():
            self.skipTest("no SFT file yet")
        refused = {
            row["run_id"]
            for path in sorted(SCORED.rglob("*.jsonl"))
            for row in rows(path)
            if row["category"] not in MAY_ENTER_SFT
        }
        for number, row in enumerate(rows(SFT), 1):
            self.assertNotIn(row["source_run_id"], refused, f"{SFT}:{number}")

    def test_the_firewall_agrees(self) -> None:
        if not SFT.exists():
            self.skipTest("no SFT file yet")
        done = distill("firewall")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_no_pair_prefers_a_run_to_itself(self) -> None:
        if not PREFERENCE.exists():
            self.skipTest("no preference file yet")
        for number, row in enumerate(rows(PREFERENCE), 1):
            self.assertNotEqual(row["chosen_run_id"], row["rejected_run_id"], f"{PREFERENCE}:{number}")


class Runs(unittest.TestCase):
    def test_each_source_line_of_a_run_is_accounted_for(self) -> None:
        summaries = sorted(REPORTS.glob("*/summary.json"))
        if not summaries:
            self.skipTest("no run yet")
        for path in summaries:
            summary = json.loads(path.read_text(encoding="utf-8"))
            if not summary["ok"]:
                continue
            counts = summary["counts"]
            accounted = counts["mapped"] + counts["looked_up"] + counts["skipped"]
            self.assertEqual(counts["lines"], accounted, str(path))


if __name__ == "__main__":
    unittest.main()
