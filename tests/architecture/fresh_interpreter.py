"""Run code or a command in a new interpreter, with nothing imported but what it imports itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def run_python(
    *arguments: str, python_path: Path = REPOSITORY, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DISTILL", "PYTHON"))}
    return subprocess.run(
        [sys.executable, "-P", *arguments],
        env={**kept, "PYTHONPATH": str(python_path)},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def modules_after(*distill_arguments: str) -> set[str]:
    """Names of the modules that are loaded once ``distill`` has ended."""
    code = (
        "import sys, json, contextlib, io\n"
        "from console.cli.distill import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
        "    main(sys.argv[1:])\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = run_python("-c", code, *distill_arguments)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))
