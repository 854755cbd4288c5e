"""Each reason against an answer, alone, and an answer against which there is none."""

from __future__ import annotations

import pytest

from pipeline.replay.validate import ReplayReason, validate

PLAYBOOKS = ["Stop the gateway service, wait for open connections, then restart it and read its journal."]
GOOD = "Stop the gateway service first, wait until connections are closed, then restart it."


def test_an_answer_with_support_and_no_filler_passes() -> None:
    assert validate(GOOD, PLAYBOOKS) == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, ReplayReason.EMPTY),
        ("  \n", ReplayReason.EMPTY),
        ("Restart the gateway service.", ReplayReason.TOO_SHORT),
        (GOOD + " As an AI I may be wrong.", ReplayReason.FILLER_OR_HEDGE_PHRASE),
        (GOOD + " I hope this helps!", ReplayReason.FILLER_OR_HEDGE_PHRASE),
        (GOOD + " It  DEPENDS\non your setup.", ReplayReason.FILLER_OR_HEDGE_PHRASE),
        (GOOD + " Then [insert host name here].", ReplayReason.PLACEHOLDER),
        (GOOD + " TODO: check.", ReplayReason.PLACEHOLDER),
        (GOOD + " Then type <your password>.", ReplayReason.PLACEHOLDER),
        (GOOD + " And after that,", ReplayReason.TRUNCATED),
        (GOOD + "\n```\nsystemctl restart gateway", ReplayReason.TRUNCATED),
        (
            "Bake seven potatoes slowly beside yellow carrots until everything becomes golden.",
            ReplayReason.NO_PLAYBOOK_SUPPORT,
        ),
    ],
)
def test_a_reason_is_given_alone(answer: str | None, reason: ReplayReason) -> None:
    assert validate(answer, PLAYBOOKS) == [reason]


def test_a_server_that_ended_at_its_limit_gives_a_truncated_answer() -> None:
    assert validate(GOOD, PLAYBOOKS, cut_off=True) == [ReplayReason.TRUNCATED]


def test_without_playbooks_nothing_has_support() -> None:
    assert validate(GOOD, []) == [ReplayReason.NO_PLAYBOOK_SUPPORT]
