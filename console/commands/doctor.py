"""``distill doctor``: what was found, and what follows from it.

Exit code 1 when something is broken that keeps commands from working, else 0.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from console.terminal import doctor
from console.terminal.link_profile import choose_profile
from console.terminal.terminal_facts import gather
from pipeline.contracts.faults import ExitCode
from pipeline.platform.voice import Voice


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    facts = gather()
    link = choose_profile(facts, wanted=arguments.profile)
    findings = [
        *doctor.terminal_findings(facts, link),
        *doctor.machine_findings(),
        *doctor.workspace_findings(voice.directory),
    ]
    broken = any(finding.level is doctor.Level.BROKEN for finding in findings)
    code = ExitCode.CHECK_FAILED if broken else ExitCode.OK
    if voice.json:
        voice.out_json(
            {
                "exit_code": int(code),
                "terminal": asdict(facts),
                "link": asdict(link),
                "findings": [asdict(finding) for finding in findings],
            }
        )
        return code
    marks = {doctor.Level.OK: " ", doctor.Level.WARN: "!", doctor.Level.BROKEN: "X"}
    for finding in findings:
        voice.out(f"{marks[finding.level]} {finding.subject:<10}{finding.found}")
        if finding.next_step:
            voice.out(f"  {'':<10}next: {finding.next_step}")
    return code
