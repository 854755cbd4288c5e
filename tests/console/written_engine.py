"""A ``pipeline`` package that a test writes, run by the real code as a real process."""

from __future__ import annotations

import textwrap
from pathlib import Path

from pipeline.platform.engine_choice import trust_what_we_made

_HEADER = """
import fcntl, json, os, signal, socket, sys, time
arguments = sys.argv[1:]
options = dict(zip(arguments[1::2], arguments[2::2]))
root = options.get("-C", "")
places = [open(options["--events"], "ab", buffering=0)] if "--events" in options else []
seq = 0
RUN_ID = "20260427T060000Z-9f31"

def emit(kind, **fields):
    global seq
    seq += 1
    line = json.dumps({"type": kind, "seq": seq, "at": "2026-04-27T06:00:00Z", **fields}).encode() + b"\\n"
    for place in places:
        place.write(line)

def started():
    who = {"workspace": root, "pid": os.getpid(), "host": "h"}
    emit("run.started", pipeline_run_id=RUN_ID, command=arguments[0], **who)

def finished(code=0):
    emit("run.finished", ok=code == 0, exit_code=code)

def hold_lock(**changes):
    os.makedirs(f"{root}/.distill", exist_ok=True)
    file = open(f"{root}/.distill/lock", "w")
    fcntl.flock(file, fcntl.LOCK_EX)
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "user": "jun", "command": arguments[0],
              "pipeline_run_id": RUN_ID, "since": since, **changes}
    file.write(json.dumps(holder))
    file.flush()
    os.makedirs(f"{root}/reports/distillation/{RUN_ID}", exist_ok=True)
    places.append(open(f"{root}/reports/distillation/{RUN_ID}/events.jsonl", "ab", buffering=0))
    return file

def wait_for(name):
    while not os.path.exists(f"{root}/{name}"):
        time.sleep(0.01)
"""


def write_engine(root: Path, body: str) -> Path:
    """Make ``root`` a workspace whose own engine runs ``body``; returns the root."""
    package = root / "pipeline"
    package.mkdir(parents=True, exist_ok=True)
    (root / "distill.toml").write_text('[engine]\nsource = "workspace"\n')
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(_HEADER + textwrap.dedent(body))
    trust_what_we_made(root)
    return root
