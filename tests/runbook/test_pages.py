from __future__ import annotations

import json
from pathlib import Path

from pipeline.contracts.symptoms import ByHand
from runbook.actions.repair_code import reinstall_command
from runbook.commands.runbook import _of_installed
from runbook.symptom import Symptom
from runbook.tell.pages import file_name, pages
from tests.runbook.command_line import distill
from tests.runbook.workspaces import leak_symptom

SYMPTOM = Symptom(
    **{
        **leak_symptom().__dict__,
        "causes": (("stale_export", "It was scored again since."),),
        "by_hand": (ByHand("Stop at once.", "mv -n a b"), ByHand("Then tell somebody.")),
        "explained_by": ("S1.P1.schema", "not.listed"),
    }
)
OTHER = Symptom(**{**leak_symptom().__dict__, "id": "S1.P1.schema"})


def test_a_page_says_what_why_and_what_to_do_by_hand() -> None:
    text = pages([SYMPTOM, OTHER])[file_name(SYMPTOM.id)]
    for part in (
        "critical",
        "BREACH",
        "a wall is down",
        "**stale_export**",
        "```sh\nmv -n a b\n```",
        "`P4.sft-firewall`",
    ):
        assert part in text
    assert "[S1.P1.schema](s1-p1-schema.md)" in text
    assert "not.listed" not in text


def test_the_index_links_every_page() -> None:
    made = pages([SYMPTOM, OTHER])
    for name in set(made) - {"README.md"}:
        assert f"({name})" in made["README.md"]


def test_a_workspace_without_code_is_told_of_no_file_of_the_engine() -> None:
    mixed = ByHand("Look.", 'git diff "$TAG" -- pipeline/streams pipeline/storage distill.toml')
    assert mixed.without_engine() == ByHand("Look.", 'git diff "$TAG" -- distill.toml')
    for command in (
        "distill restore pipeline/streams",
        "cat pipeline/a.json",
        'git diff "$TAG" -- pipeline/',
    ):
        assert ByHand("Put it back.", command).without_engine() is None
    whole = ByHand("Run.", "distill run-all")
    assert whole.without_engine() is whole
    lines = [*_of_installed([mixed, ByHand("a", "distill restore pipeline/"), ByHand("b", "cat pipeline/b")])]
    assert [each.command for each in lines] == ['git diff "$TAG" -- distill.toml', reinstall_command()]


def test_no_line_to_type_names_code_where_the_engine_is_installed(tmp_path: Path) -> None:
    (tmp_path / "distill.toml").write_text("")
    done = distill(tmp_path, "runbook", "detect", "--json")
    shown = json.loads(done.stdout)["symptoms"]
    typed = [line["command"] for each in shown for line in each["by_hand"]]
    assert len(typed) > 40
    assert [each for each in typed if "pipeline/" in each] == []
    refused = distill(tmp_path, "restore", "pipeline/stages/score.py")
    assert refused.returncode == 2
    assert reinstall_command() in refused.stderr
