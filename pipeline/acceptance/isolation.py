"""A01 and A02: what a run may not touch, and settings that make it touch nothing."""

from __future__ import annotations

from typing import Any

from pipeline.acceptance.engine_runs import forked
from pipeline.acceptance.invariant import Invariant, Results, Tally
from pipeline.acceptance.jobs import Job
from pipeline.acceptance.listings import RealWorkspace, changes, listing
from pipeline.acceptance.scene import Scene
from pipeline.acceptance.write_watch import WATCHED
from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.plurals import plural

_UNKNOWN_KEY = b"[scoring]\naccept_at = 0.9\nacept_at = 0.9\n"
_WRONG_TYPE = b'[scoring]\naccept_at = "high"\n'
_ESCAPING_PATH = (
    b'[[stream]]\nname = "far"\npath = "../../outside/*.jsonl"\n[stream.fields]\ntask_id = "id"\n'
)
_ABSOLUTE_PATH = b'[[stream]]\nname = "far"\npath = "/etc/*.jsonl"\n[stream.fields]\ntask_id = "id"\n'
_HOSTILE_KEY = b'[scoring]\n"accept\\u001b[31m\\u202e_at" = 0.9\n'
_NOT_TOML = b"[scoring\naccept_at = 0.9\n"
BAD_SETTINGS = {
    "unknown-key": _UNKNOWN_KEY,
    "wrong-type": _WRONG_TYPE,
    "escaping-path": _ESCAPING_PATH,
    "absolute-path": _ABSOLUTE_PATH,
    "hostile-key": _HOSTILE_KEY,
    "no-toml": _NOT_TOML,
}


def jobs(scene: Scene) -> list[Job]:
    return [Job("bad_settings", lambda: _run_with_bad_settings(scene))]


def _run_with_bad_settings(scene: Scene) -> list[dict[str, Any]]:
    seen = []
    for name, settings in BAD_SETTINGS.items():
        workspace = scene.install(f"bad-{name}", settings=settings)
        before = listing(workspace)
        ended = forked(scene.root, f"bad-{name}", scene.run_all(workspace))
        seen.append(
            {
                "name": name,
                "exit_code": ended.exit_code,
                "names_the_file": str(paths.SETTINGS) in ended.narration,
                "changed": changes(before, listing(workspace)),
                "said": ended.reason,
            }
        )
    return seen


def _isolated(scene: Scene, _results: Results) -> Outcome:
    tally = Tally()
    watched = 0
    for line in scene.root.writes_log.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(f"{WATCHED} "):
            watched += 1
            tally.look(True, "")
        else:
            tally.wrong(f"a write outside the temp root: {line}")
    for name, stub in (("home", scene.root.home), ("current directory", scene.root.current_directory)):
        left = sorted(listing(stub))
        tally.look(not left, f"a run wrote to its {name}: {', '.join(left[:3])}")
    before, after = scene.real_before, RealWorkspace.of(scene.real)
    tally.examined += len(after.files)
    # A run of the operator's own may write there meanwhile, and then tells nothing of ours.
    if before.last_run == after.last_run and not (before.is_held or after.is_held):
        for path in changes(before.files, after.files):
            tally.wrong("changed while acceptance ran, by it or by somebody else", file=path)
    if not watched:
        tally.wrong("no process was watched")
    return tally.outcome(f"{watched} watched processes, {plural(tally.examined, 'place')}")


def _bad_settings(_scene: Scene, results: Results) -> Outcome:
    tally = Tally()
    for case in results("bad_settings"):
        name = case["name"]
        tally.look(
            case["exit_code"] == ExitCode.USAGE,
            f"{name}: exit {case['exit_code']} instead of {int(ExitCode.USAGE)}: {case['said']}",
        )
        tally.look(
            case["names_the_file"], f"{name}: the message does not name {paths.SETTINGS}: {case['said']}"
        )
        tally.look(not case["changed"], f"{name}: changed {', '.join(case['changed'][:3])}")
    return tally.outcome(f"{len(BAD_SETTINGS)} bad settings", threshold="exit 2, no file")


INVARIANTS = {
    "A01": Invariant(("base", "factors_1", "looks"), _isolated),
    "A02": Invariant(("bad_settings",), _bad_settings),
}
