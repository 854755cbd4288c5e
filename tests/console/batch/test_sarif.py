"""A batch as SARIF: valid where a forge looks, and nothing hostile raw."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import orjson

from console.batch.outcome import BatchOutcome
from console.batch.parts import Part
from console.batch.sarif import sarif
from pipeline.contracts.checks import CheckStatus, Example
from tests.console.batch.outcomes import batch, breach, check, hostile_batch, part

LEVELS = {"none", "note", "warning", "error"}


def results(found: BatchOutcome) -> list[dict[str, Any]]:
    """The results, after what SARIF 2.1.0 requires of every one."""
    data: dict[str, Any] = orjson.loads(orjson.dumps(sarif(found)))
    assert data["version"] == "2.1.0"
    (run,) = data["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "distill"
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in LEVELS
        assert result["message"]["text"]
        for location in result.get("locations", ()):
            physical = location["physicalLocation"]
            uri = physical["artifactLocation"]["uri"]
            assert uri.isascii()
            assert not unquote(uri).startswith("/")
            assert physical.get("region", {}).get("startLine", 1) >= 1
    return list(run["results"])


def test_a_good_batch_has_no_result() -> None:
    assert results(batch()) == []


def test_a_breach_is_an_error_at_its_line_and_what_follows_names_it() -> None:
    first, check_, symptom = results(breach(folder="a b"))
    (location,) = first["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "a%20b/exports/sft/train.jsonl"},
        "region": {"startLine": 4},
    }
    assert (first["ruleId"], first["level"]) == ("firewall", "error")
    for each in (check_, symptom):
        assert each["properties"] == {"followsFrom": "firewall"}
        assert each["level"] == "warning"


def test_the_same_trouble_has_the_same_fingerprint_in_the_next_batch() -> None:
    def fingerprint(detail: str, file: str) -> str:
        bad = check("P2.provenance", CheckStatus.FAIL, detail=detail, examples=(Example(file=file, line=2),))
        (result,) = results(batch(part(Part.AUDIT, 1, checks=(bad,))))
        return str(result["partialFingerprints"]["distill/v1"])

    assert fingerprint("1 row", "a.jsonl") == fingerprint("2 rows", "a.jsonl")
    assert fingerprint("1 row", "a.jsonl") != fingerprint("1 row", "b.jsonl")


def test_hostile_texts_are_visible_and_outside_paths_have_no_location() -> None:
    for result in results(hostile_batch()):
        assert result["message"]["text"].isprintable()
    bad = check("P2.provenance", CheckStatus.FAIL, examples=(Example(file="/etc/passwd", line=1),))
    (result,) = results(batch(part(Part.AUDIT, 1, checks=(bad,))))
    assert "locations" not in result
