"""``docs/exit-codes.md``, made from ``pipeline.contracts.faults`` and the table of commands."""

from __future__ import annotations

from pathlib import Path

from console.cli.commands import BATCH, COMMANDS
from pipeline.contracts.faults import PRECEDENCE, ExitCode

CHECKOUT = Path(__file__).resolve().parents[2]

MEANINGS = {
    ExitCode.OK: "every required check was evaluated and passed; or the command did what it was asked",
    ExitCode.CHECK_FAILED: "a required check failed, or a symptom of severity error or critical was found "
    "(missing sources, drift and the replay log's size are information or warnings)",
    ExitCode.USAGE: "usage or settings",
    ExitCode.NOT_EVALUABLE: "could not evaluate: internal error, unreadable input, time-out, disk full",
    ExitCode.WARNINGS: "only warnings, with `--fail-on warn`",
    ExitCode.NOT_EVALUATED: "a required check was not evaluated, and none failed",
    ExitCode.FIREWALL_BREACH: "firewall breach",
    ExitCode.APPROVAL_NEEDED: "approval needed",
    ExitCode.VERIFICATION_FAILED: "applied, but verification failed",
    ExitCode.LOCKED: "the workspace is locked by another run",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.TERMINATED: "interrupted (SIGTERM)",
}
_BATCH = "tests/console/batch/test_run_batch.py"
# The test that sees a command end with the code: its file and its name.
TESTS = {
    ExitCode.OK: (_BATCH, "test_a_good_batch_ends_with_0_and_the_verdict_is_the_last_line"),
    ExitCode.CHECK_FAILED: (_BATCH, "test_a_failed_check_is_1_and_the_other_parts_still_run"),
    ExitCode.USAGE: (_BATCH, "test_an_unknown_part_is_2_and_nothing_runs"),
    ExitCode.NOT_EVALUABLE: (_BATCH, "test_a_part_that_cannot_be_believed_is_3"),
    ExitCode.WARNINGS: (_BATCH, "test_drift_is_4_when_warnings_are_to_fail"),
    ExitCode.NOT_EVALUATED: (_BATCH, "test_what_was_not_evaluated_is_5"),
    ExitCode.FIREWALL_BREACH: (_BATCH, "test_a_forbidden_row_is_10_whatever_else_failed"),
    ExitCode.APPROVAL_NEEDED: (
        "tests/runbook/test_commands.py",
        "test_a_plan_that_became_void_ends_with_11_and_changes_nothing",
    ),
    ExitCode.VERIFICATION_FAILED: (
        "tests/runbook/symptoms/test_engine_wont_start.py",
        "test_a_repair_that_was_not_enough_ends_with_12_and_looking_again_finds_the_rest",
    ),
    ExitCode.LOCKED: (_BATCH, "test_a_locked_workspace_is_75_and_stops_the_rest"),
    ExitCode.INTERRUPTED: (
        _BATCH,
        "test_a_signal_ends_the_part_and_the_reports_are_written_all_the_same",
    ),
    ExitCode.TERMINATED: (
        _BATCH,
        "test_a_signal_ends_the_part_and_the_reports_are_written_all_the_same",
    ),
}


def page() -> str:
    rows = "".join(f"| {int(code)} | `{code.name}` | {MEANINGS[code]} |\n" for code in ExitCode)
    order = ", ".join(str(int(code)) for code in PRECEDENCE)
    commands = "".join(
        f"| `distill {each.name}` | {', '.join(str(int(code)) for code in sorted(each.exits))} |\n"
        for each in (*COMMANDS, BATCH)
        if each.exits
    )
    return f"""# Exit codes

One table for every command; an API for scripts. Codes are added, never renumbered. The page is made from
`pipeline/contracts/faults.py` and the table of commands by `make pages`.

| code | name | meaning |
|---:|---|---|
{rows}
When several apply to one command, the first of these wins: {order}. A code that is not among them (usage,
lock, interruption) stopped the command by itself, and wins over all. Treat a code that you do not know as
a failure.

With 12 the changes are in place: a step failed, or the symptom's detector, run again, is not clear. A
quarantine is verified too, and ends with 12 where the detector still rings: some of the damage is not
contained. The record names what was seen; `distill undo` takes the changes back.

What is stale is not clear. `status`, `runbook detect`, `watch --once` and `--batch` end with 5 where nothing
shows, and the answer of a required check is older than a change of code, settings, sources or outputs, older
than 26 hours, from the future, or in a report that is there and cannot be read. `distill runbook detect
--full` asks anew; so do `distill acceptance` and `distill audit-full`. What was never run changes nothing:
the line that counts the answers says so.

## What a command may end with

Any command may end with 0, 2, 3, 130 and 143. Beyond these:

| command | codes |
|---|---|
{commands}
## What `distill --batch` makes of them

| part | 0 | 1 | 3 | 5 | 10 |
|---|---|---|---|---|---|
| `firewall-before` | CLEAR, or nothing stands yet | | no answer | | what stands is in breach |
| `run-all` | committed | an export turned empty | input, disk, bug, no answer | | a breach, staged or not |
| `firewall` | CLEAR | | unreadable, or nothing to judge by | ABSENT: no live file | BREACH |
| `acceptance` | 22 of 22 | an invariant failed | an invariant raised | one was not evaluated | |
| `audit-full` | 16 of 16 | a check failed | a check raised | one was not evaluated | the SFT firewall check |
| `determinism` | equal | different | a run could not be made | a kill never came | |
| `symptoms` | none, or information | error or critical | could not be read | | the leak |

Warnings are drift that nobody has dismissed, symptoms of severity warning, checks that warn, and what a run
warned of. They make 4 with `--fail-on warn`, and change nothing without it. A part that `--only` or `--skip`
left out decides nothing and reads `skipped`; `audit-full` without `acceptance` runs the gate itself, because
P6.acceptance is required of it. When `--timeout` is over, the part that runs is ended and counts
as 3, and the others read `not run`. A part that ends with 2, 75, 130 or 143 stops the batch, which ends with
the same code. `distill status` and `distill watch --once` end with 10, 1, 5 or 0.
"""
