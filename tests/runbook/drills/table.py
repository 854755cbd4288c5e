"""``python -m tests.runbook.drills.table [--seed N] [DRILL…]``: walk drills, print what came of it.

A Markdown table on stdout, what went wrong on stderr; exit code 1 when something did.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from runbook.symptoms import DRILLS
from tests.runbook.drills.sound import sound_copy, sound_template
from tests.runbook.drills.walk import Walked, walk

HEAD = """\
| drill | detected | cause named | plan | verified by its detector | undo |
| --- | --- | --- | --- | --- | --- |"""


def row(walked: Walked) -> str:
    steps = "; ".join(f"{number}. {step}" for number, step in enumerate(walked.steps, start=1))
    cells = (
        f"`distill drill start {walked.drill} --seed {walked.seed}`",
        f"{walked.detected_seconds:.1f} s{' (with the audit)' if walked.planted.audited else ''}",
        walked.cause,
        steps,
        walked.verified,
        walked.undone,
    )
    return f"| {' | '.join(cell.replace('|', ' ') for cell in cells)} |"


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("drills", nargs="*")
    arguments = parser.parse_args(words)
    names, seed = arguments.drills, arguments.seed
    chosen = [each for each in DRILLS if not names or each.id in names or each.symptom_id in names]
    failed = 0
    sys.stdout.write(HEAD + "\n")
    with tempfile.TemporaryDirectory(prefix="distill-drills-") as above:
        template = sound_template(Path(above))
        for number, drill in enumerate(chosen):
            began = time.monotonic()
            try:
                walked = walk(drill, sound_copy(template, Path(above) / str(number), seed), seed, kill=False)
                sys.stdout.write(row(walked) + "\n")
                sys.stdout.flush()
            except Exception:  # noqa: BLE001 - the other drills are walked nevertheless
                failed += 1
                sys.stderr.write(f"{drill.id}:\n{traceback.format_exc()}\n")
            sys.stderr.write(f"{drill.id}: {time.monotonic() - began:.1f} s\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
