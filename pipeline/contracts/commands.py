"""Every command of ``distill``: its name, its one line of help, and who carries it out.

``distill --help``, shell completion and the documentation come from this table. Engine
commands run as ``python -P -m pipeline NAME …``; the console never imports them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Owner = Literal["engine", "console", "firewall"]


@dataclass(frozen=True)
class Command:
    name: str
    group: str
    help: str
    owner: Owner
    needs_workspace: bool = True


COMMANDS: tuple[Command, ...] = (
    Command("console", "watch", "Open the full-screen console (what plain `distill` does).", "console"),
    Command("status", "watch", "Print the dashboard as text, or as data with --json.", "console"),
    Command("runs", "watch", "List past runs with counts and run_hash.", "console"),
    Command("watch", "watch", "Run the live detectors without a screen; call [alert] command.", "console"),
    Command("handover", "watch", "Print what the next shift must know.", "console"),
    Command("metrics", "watch", "Write the dashboard's numbers as a Prometheus textfile.", "console"),
    Command("doctor", "watch", "Say what this terminal can do and which profile follows.", "console", False),
    Command("demo", "start", "Build a demo workspace and open the console on it.", "console", False),
    Command("init", "start", "Make a workspace here or in DIR.", "engine", False),
    Command("config", "start", "Show each setting and where its value came from.", "engine"),
    Command("streams", "start", "Check what the stream settings make of the source lines.", "engine"),
    Command("schema", "start", "Export JSON Schema; check golden rows and the lock.", "engine", False),
    Command("run-all", "run", "Materialise, score and export, with receipts.", "engine"),
    Command("materialize", "run", "P2: source lines to evidence.", "engine"),
    Command("score", "run", "P3: evidence to verdicts.", "engine"),
    Command("export", "run", "P4: all three exports; --format for trainers' formats.", "engine"),
    Command("export-rag", "run", "P4: the RAG playbooks alone.", "engine"),
    Command("export-sft", "run", "P4: the SFT rows alone.", "engine"),
    Command("export-preference", "run", "P4: the preference pairs alone.", "engine"),
    Command("card", "run", "Write the dataset card beside the exports.", "engine"),
    Command("firewall", "trust", "Scan an SFT file; exit 10 on any forbidden row.", "firewall"),
    Command("acceptance", "trust", "P6: check the engine in use by 22 invariants on the fixture.", "engine"),
    Command("audit-full", "trust", "P8: recompute every claim on the real data, and show drift.", "engine"),
    Command("determinism", "trust", "Run the pipeline several ways from scratch and compare.", "engine"),
    Command("explain", "trust", "Show one run's evidence and the rule that decided.", "engine"),
    Command("baseline", "trust", "Accept or dismiss a metric that moved; list what is normal.", "engine"),
    Command("replay", "trust", "P7: put a task to a model with the playbooks that fit it.", "engine"),
    Command("rotate-replay-log", "trust", "Archive the replay log, verified before a byte goes.", "engine"),
    Command("release-freeze", "trust", "P9: six gates and a manifest; nothing is tagged.", "engine"),
    Command("release", "trust", "Show or record which commit stands for which phase.", "engine"),
    Command("handoff", "trust", "Write the page for whoever arrives cold.", "engine"),
    Command("verify-export", "trust", "Check a copy of the exports against its manifest.", "engine", False),
    Command("lineage", "trust", "Trace a row from export to the bytes of its source line.", "engine"),
    Command("runbook", "repair", "Detect, diagnose, plan, apply: the wizards without a screen.", "console"),
    Command("quarantine", "repair", "Move a contaminated export aside; previewed first.", "console"),
    Command("restore", "repair", "Put files back to the last-good tag's bytes; previewed first.", "console"),
    Command("undo", "repair", "Take an incident's last change back, byte for byte.", "console"),
    Command("drill", "repair", "Rehearse a repair: a fault planted in a sandbox.", "console", False),
    Command("incident", "repair", "List, show, verify and export what happened.", "console"),
)

BY_NAME = {command.name: command for command in COMMANDS}
