from __future__ import annotations

from pipeline.contracts.symptoms import ByHand
from runbook.symptom import Symptom
from runbook.tell.pages import file_name, pages
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
