"""The firewall runs while everything else of the engine is broken, and starts fast."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pipeline
from tests.pipeline.firewall.corpus import honest

# Refuses every engine package but the firewall, the contracts and the machine's hand (neither its JSON nor
# its git), and the libraries that only those use, whoever asks for them.
SABOTAGE = """
import runpy, sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        mine = name == "pipeline" or name.startswith(
            ("pipeline.firewall", "pipeline.contracts", "pipeline.platform"))
        if name in ("pipeline.platform.lenient_json", "pipeline.platform.git"):
            mine = False
        foreign = name.split(".")[0] in (
            "pydantic", "orjson", "textual", "rich", "git", "jmespath", "watchfiles")
        if foreign or name.startswith("pipeline.") and not mine:
            raise SyntaxError(f"{name} is broken")
        return None
sys.meta_path.insert(0, Broken())
runpy.run_module("pipeline.firewall", run_name="__main__", alter_sys=True)
"""


def test_it_scans_while_every_other_engine_package_is_broken(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["bad"].row())
    argv = [sys.executable, "-P", "-c", SABOTAGE, "-C", str(tmp_path)]
    finished = subprocess.run(argv, capture_output=True, check=False)
    assert finished.stderr == b""
    assert finished.returncode == 10


def test_its_source_names_no_other_engine_package() -> None:
    allowed = ("pipeline.firewall", "pipeline.contracts", "pipeline.platform")
    folder = Path(pipeline.__file__).parent / "firewall"
    for path in folder.glob("*.py"):
        for said in path.read_text().splitlines():
            words = said.split()
            if words[:1] in (["from"], ["import"]) and words[1].startswith("pipeline"):
                assert words[1].startswith(allowed), f"{path.name}: {said}"
                assert not {"lenient_json", "git"} & set(said.replace(".", " ").replace(",", " ").split())


def test_a_pipeline_folder_in_the_current_directory_is_not_picked_up(tmp_path: Path) -> None:
    honest(tmp_path)
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline/__init__.py").write_text("raise SystemExit('planted')")
    argv = [sys.executable, "-P", "-m", "pipeline.firewall"]
    finished = subprocess.run(argv, capture_output=True, check=False, cwd=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, b"")
