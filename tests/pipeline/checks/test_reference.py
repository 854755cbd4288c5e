"""``docs/checks.md`` is what the index and the record of faults say."""

from __future__ import annotations

from pipeline.checks.reference import page
from pipeline.contracts.check_index import ACCEPTANCE, AUDIT


def test_every_check_stands_on_the_page() -> None:
    made = page({})
    for spec in (*AUDIT, *ACCEPTANCE):
        assert f"| `{spec.id}` | {spec.title}" in made


def test_a_fault_is_one_line_with_a_letter_for_each_check_that_saw_it() -> None:
    faults = {
        "one": {"title": "one fault", "exit_code": 1, "checks": {"P2.conserves": "fail"}, "drift": []},
        "two": {"title": "a drift", "exit_code": 0, "checks": {"P7.replay": "error"}, "drift": ["rag_rows"]},
    }
    made = page(faults)
    assert "| fault | `P2.conserves` | `P7.replay` | drift | exit |" in made
    assert "| one fault | F |  |  | 1 |" in made
    assert "| a drift |  | E | 1 warn | 0 |" in made
    assert "`P0.recon-doc`" in made.split("left out:")[1].split("\n")[0]
