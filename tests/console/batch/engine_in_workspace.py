"""A workspace whose own engine does what a test's plan says: no real work, real processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.platform.engine_choice import trust_what_we_made
from tests.console.workspaces import empty_workspace, write

ENGINE = """
import json, os, pathlib, sys, time

name, arguments = sys.argv[1], sys.argv[2:]
if name in ("config", "schema"):  # what detectors ask is no part of a plan
    sys.stdout.write(json.dumps({"checks": []}))
    sys.exit(0)
here = pathlib.Path(arguments[arguments.index("-C") + 1]) / "told"
plan = json.loads((here / "plan.json").read_text()).get(name, {})
handed_on = None
if "--acceptance-report" in arguments:
    handed_on = json.loads(pathlib.Path(arguments[arguments.index("--acceptance-report") + 1]).read_text())
with (here / "calls.jsonl").open("a") as calls:
    calls.write(json.dumps({"command": name, "handed_on": handed_on}) + "\\n")
with open(arguments[arguments.index("--events") + 1], "a") as events:
    for number, event in enumerate(plan.get("events", []), start=1):
        events.write(json.dumps({"seq": number, "at": "2026-04-27T06:00:00Z", **event}) + "\\n")
    events.write(plan.get("torn", ""))
for path, text in plan.get("files", {}).items():
    place = here.parent / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
sys.stderr.write(plan.get("stderr", ""))
if plan.get("hang"):
    (here / "hanging").touch()
    time.sleep(600)
if plan.get("kill"):
    os.kill(os.getpid(), plan["kill"])
report = plan.get("report", {"exit_code": plan.get("exit", 0)})
sys.stdout.write(report if isinstance(report, str) else json.dumps(report))
sys.exit(plan.get("exit", 0))
"""


def workspace_with_engine(root: Path, **plan: dict[str, Any]) -> Path:
    """``plan`` is by command (``run_all`` for ``run-all``): exit, report, events, files, hang, kill."""
    empty_workspace(root)
    settings = root / paths.SETTINGS
    settings.write_text(settings.read_text() + '[engine]\nsource = "workspace"\n')
    write(root, "pipeline/__init__.py", "")
    write(root, "pipeline/__main__.py", ENGINE)
    trust_what_we_made(root)
    write(root, "told/plan.json", {name.replace("_", "-"): one for name, one in plan.items()})
    return root


def calls(root: Path) -> list[dict[str, Any]]:
    """The commands that were started, in order, with the acceptance report that they were handed."""
    return [json.loads(line) for line in (root / "told/calls.jsonl").read_text().splitlines()]


def checks_report(*checks: tuple[str, str], **more: Any) -> dict[str, Any]:
    """A report of acceptance or audit with these checks: id and status."""
    return {
        "kind": "audit-full",
        "exit_code": 0,
        "verdict": "said by the engine",
        "checks": [
            {
                "id": check_id,
                "phase": check_id.partition(".")[0] if "." in check_id else "P6",
                "required": True,
                "status": status,
                "examined": 3,
                "failed": int(status == "fail"),
                "detail": f"{check_id} in detail",
            }
            for check_id, status in checks
        ],
        **more,
    }
