"""Ids depend on names alone."""

from __future__ import annotations

import re

from pipeline.stages.row_identity import row_id, task_identity


def test_an_id_is_derived_from_the_runs_and_their_order() -> None:
    ids = {
        row_id("sft", "shell/a"),
        row_id("rag", "shell/a"),
        row_id("pref", "shell/a", "shell/b"),
        row_id("pref", "shell/b", "shell/a"),
    }
    assert len(ids) == 4
    assert all(re.fullmatch(r"(sft|rag|pref)-[0-9a-f]{16}", each) for each in ids)


def test_a_digest_is_pinned_so_that_a_machine_cannot_change_it() -> None:
    assert row_id("sft", "shell/a") == "sft-0bb472dc3771dc1d"
    assert task_identity("shell", "1").key.hex() == "54a6a96c1abf297f0fb7c3034294c9fc"


def test_stream_and_task_do_not_run_together() -> None:
    assert task_identity("ab", "c").key != task_identity("a", "bc").key
