"""The two P1 checks as an audit sees them."""

from __future__ import annotations

import shutil
from pathlib import Path

from pydantic import Field, create_model

from pipeline.contracts.checks import CheckStatus
from pipeline.schemas.checks import validators_hold, versions_pinned
from pipeline.schemas.golden_rows import GOLDEN_FOLDER
from pipeline.schemas.registry import SCHEMAS, Schema
from pipeline.schemas.sft import SftSample

LOOSENED = [
    Schema("sft", create_model("SftSample", __base__=SftSample, quality_score=(str, Field())), 1, "x")
    if schema.name == "sft"
    else schema
    for schema in SCHEMAS
]


def test_both_pass_on_what_is_committed() -> None:
    pinned, hold = versions_pinned(), validators_hold()
    assert [(check.id, check.status, check.failed) for check in (pinned, hold)] == [
        ("P1.versions-pinned", CheckStatus.PASS, 0),
        ("P1.validators-hold", CheckStatus.PASS, 0),
    ]
    assert pinned.examined == len(SCHEMAS)
    assert hold.examined > 700
    assert pinned.required
    assert hold.required


def test_a_loosened_label_fails_both_and_is_named() -> None:
    pinned, hold = versions_pinned(schemas=LOOSENED), validators_hold(schemas=LOOSENED)
    assert (pinned.status, pinned.failed) == (CheckStatus.FAIL, 1)
    assert "sft.quality_score" in pinned.detail
    assert pinned.examples[0].file == "pipeline/schemas/sft.py"
    assert hold.status is CheckStatus.FAIL
    assert 0 < len(hold.examples) <= 10
    assert hold.examples[0].file == "pipeline/schemas/golden/sft/invalid.jsonl"
    assert "quality_score" in hold.examples[0].text


def test_a_missing_lock_fails_and_is_not_an_error(tmp_path: Path) -> None:
    check = versions_pinned(tmp_path / "schemas.lock.json")
    assert (check.status, check.failed) == (CheckStatus.FAIL, len(SCHEMAS))
    assert "missing" in check.detail


def test_a_schema_that_is_gone_fails() -> None:
    check = versions_pinned(schemas=SCHEMAS[1:])
    assert (check.status, check.failed) == (CheckStatus.FAIL, 1)
    assert check.detail == "evidence.(schema) is gone, was: version 2"


def test_missing_golden_rows_fail(tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDEN_FOLDER, tmp_path / "golden")
    shutil.rmtree(folder / "receipt")
    check = validators_hold(folder)
    assert (check.status, check.failed) == (CheckStatus.FAIL, 2)


def test_a_check_that_examined_nothing_did_not_pass() -> None:
    assert validators_hold(schemas=()).status is CheckStatus.NOT_EVALUATED
