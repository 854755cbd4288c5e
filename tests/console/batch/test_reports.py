"""A batch as JUnit, as annotations and as a page: nothing hostile becomes markup."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from lxml import etree as lxml

from console.batch.child import PartEnded
from console.batch.github import MAX_ANNOTATIONS, workflow_commands
from console.batch.junit import junit
from console.batch.outcome import BatchOutcome, PartState, verdict_line
from console.batch.part_report import outcome_of
from console.batch.parts import Part
from console.batch.report import batch_report
from console.batch.summary import MAX_BYTES, summary
from pipeline.contracts.checks import CheckStatus, DriftStatus, Example
from tests.console.batch.outcomes import batch, breach, check, drift, hostile_batch, part

# What the firewall says of evaluation sets

BREACH = {
    "state": "BREACH", "rows_read": 9, "findings_count": 1, "forbidden_rows": 1, "by_wall": {"evaluation": 1},
    "findings": [{"wall": "evaluation", "file": "exports/preference/pairs.jsonl", "line": 3}],
}  # fmt: skip
CLEAR = {"state": "CLEAR", "rows_read": 9, "findings_count": 0}
UNKNOWN = {"state": "UNKNOWN", "rows_read": 9, "findings_count": 0, "detail": "no"}


@pytest.mark.parametrize(
    ("code", "report", "words"),
    [
        (0, {**CLEAR, "evaluation": "not_checked", "evaluation_sets": 0}, "not checked, none is declared"),
        (0, {**CLEAR, "evaluation": "checked", "evaluation_sets": 2}, "checked (2 sets)"),
        (10, {**BREACH, "evaluation": "not_checked"}, "not checked"),
        (10, {**BREACH, "evaluation": "checked", "evaluation_refused": 1}, "checked (1 row quarantined)"),
        (
            3,
            {**UNKNOWN, "evaluation": "not_evaluated", "not_evaluated": {"evaluation": "x"}},
            "not evaluated: x",
        ),
    ],
)
def test_every_report_says_whether_evaluation_sets_were_looked_for(
    code: int, report: dict[str, Any], words: str
) -> None:
    found = batch(outcome_of(Part.FIREWALL, PartEnded(code, 1.0, False, report, ())))
    for said in (verdict_line(found), junit(found).decode(), summary(found), batch_report(found)["verdict"]):
        assert f"evaluation sets: {words}" in said
    assert batch_report(found)["firewall"]["evaluation"] == report["evaluation"]


def test_a_finding_beside_the_sft_export_names_its_file() -> None:
    found = outcome_of(Part.FIREWALL, PartEnded(10, 1.0, False, BREACH, ()))
    assert found.detail == "1 forbidden row: evaluation exports/preference/pairs.jsonl:3"
    assert "pairs.jsonl:3" in "".join(workflow_commands(batch(found)))


def test_a_part_that_ended_well_gives_no_reason_whatever_it_said() -> None:
    ended = PartEnded(0, 1.0, False, {"exit_code": 0, "verdict": "PASS"}, ("all of it passed",))
    assert [outcome_of(each, ended).detail for each in (Part.RUN_ALL, Part.AUDIT, Part.SYMPTOMS)] == [
        "",
        "",
        "",
    ]
    failed = PartEnded(1, 1.0, False, {"exit_code": 1, "verdict": "FAIL: 1 of 9"}, ())
    assert outcome_of(Part.AUDIT, failed).detail == "FAIL: 1 of 9"


# JUnit: the schema, and what no schema can say

SCHEMA = Path(__file__).with_name("junit.xsd")
_COUNTS = ("tests", "failures", "errors")
# Char of XML 1.0: https://www.w3.org/TR/xml/#charsets
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parsed(found: BatchOutcome) -> ElementTree.Element:
    """The document, after everything that a strict reader would object to."""
    data = junit(found)
    assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    assert not _NOT_XML.search(data.decode("utf-8"))
    schema = lxml.XMLSchema(lxml.parse(str(SCHEMA)))
    schema.assertValid(lxml.fromstring(data))
    root = ElementTree.fromstring(data)  # noqa: S314 - our own document
    for suite in root:
        cases = suite.findall("testcase")
        found_counts = {
            "tests": len(cases),
            "failures": len(suite.findall("testcase/failure")),
            "errors": len(suite.findall("testcase/error")),
            "skipped": len(suite.findall("testcase/skipped")),
        }
        assert {name: int(suite.attrib[name]) for name in found_counts} == found_counts
        assert all(len(case.findall("failure") + case.findall("error")) <= 1 for case in cases)
        names = [(case.attrib["classname"], case.attrib["name"]) for case in cases]
        assert len(names) == len(set(names))
    for name in _COUNTS:
        assert int(root.attrib[name]) == sum(int(suite.attrib[name]) for suite in root)
    return root


def case(root: ElementTree.Element, name: str) -> ElementTree.Element:
    return next(found for found in root.iter("testcase") if found.attrib["name"].split(":")[0] == name)


def test_there_is_one_suite_for_the_parts_and_one_a_phase() -> None:
    checks = (check("P2.conserves"), check("P0.recon-doc"), check("P2.provenance"))
    root = parsed(batch(part(Part.ACCEPTANCE, 0, checks=(check("A01"),)), part(Part.AUDIT, 0, checks=checks)))
    assert [suite.attrib["name"] for suite in root] == ["batch", "P6 acceptance", "P2 evidence", "P0 recon"]


@pytest.mark.parametrize(
    ("status", "required", "tag"),
    [
        (CheckStatus.PASS, True, "system-out"),
        (CheckStatus.WARN, True, "system-out"),
        (CheckStatus.INFO, False, "system-out"),
        (CheckStatus.FAIL, True, "failure"),
        (CheckStatus.FAIL, False, "system-out"),
        (CheckStatus.ERROR, True, "error"),
        (CheckStatus.NOT_EVALUATED, True, "error"),
        (CheckStatus.NOT_EVALUATED, False, "skipped"),
    ],
)
def test_a_status_becomes_what_readers_of_junit_know(status: CheckStatus, required: bool, tag: str) -> None:
    root = parsed(batch(part(Part.AUDIT, 0, checks=(check("P2.conserves", status, required=required),))))
    assert [child.tag for child in case(root, "P2.conserves")] == [tag]


def test_a_skipped_part_reads_skipped_and_a_late_one_is_an_error() -> None:
    late = part(Part.AUDIT, None, state=PartState.TIMED_OUT, detail="time is up")
    never = part(Part.SYMPTOMS, None, state=PartState.NOT_RUN, detail="time was up before it could begin")
    root = parsed(batch(part(Part.ACCEPTANCE, None), late, never))
    assert [child.tag for child in case(root, "acceptance")] == ["skipped"]
    assert [child.tag for child in case(root, "audit-full")] == ["error"]
    assert [child.tag for child in case(root, "symptoms")] == ["error"]


def test_the_schema_refuses_what_jenkins_refuses() -> None:
    schema = lxml.XMLSchema(lxml.parse(str(SCHEMA)))
    good = b'<testsuites><testsuite name="a" tests="0" failures="0" errors="0"/></testsuites>'
    assert schema.validate(lxml.fromstring(good))
    assert not schema.validate(lxml.fromstring(good.replace(b"<testsuites>", b'<testsuites skipped="0">')))
    assert not schema.validate(lxml.fromstring(good.replace(b' errors="0"', b"")))


def test_a_case_says_what_it_proves_and_where_it_failed() -> None:
    bad = check("P2.provenance", CheckStatus.FAIL, detail="gone", examples=(Example(file="a.jsonl", line=7),))
    found = case(parsed(batch(part(Part.AUDIT, 1, checks=(bad,)))), "P2.provenance")
    assert found.attrib["name"].startswith("P2.provenance: Every evidence row resolves to its source bytes")
    (failure,) = found
    assert failure.attrib["message"] == "a.jsonl:7: gone"
    assert (failure.text or "").startswith("a.jsonl:7: gone\n")


def test_the_cause_comes_first_and_the_rest_says_that_it_follows() -> None:
    root = parsed(breach())
    (first, *_), *_ = root
    assert first.attrib["name"].startswith("firewall:")
    assert first[0].attrib["message"].startswith("exports/sft/train.jsonl:4: 1 forbidden row")
    beneath = case(root, "P4.sft-firewall")[0].attrib["message"]
    assert beneath.startswith("follows from firewall: exports/sft/train.jsonl:4")
    assert "from it follows P4.sft-firewall" in (first[0].text or "")


def test_hostile_texts_leave_the_document_valid_xml_1_0() -> None:
    root = parsed(hostile_batch())
    text = case(root, "P2.provenance").find("failure")
    assert text is not None
    assert "\\x00" in (text.text or "")
    assert "<script>" in (text.text or "")


# Annotations

_COMMAND = re.compile(
    r"::(error|warning|notice) (?:file=[^:,\n\r]*,(?:line=\d+,)?)?title=([^:,\n\r]*)::([^\n\r]*)\Z"
)


def test_a_failed_check_is_an_error_with_the_command_that_shows_it_again() -> None:
    bad = check("P2.provenance", CheckStatus.FAIL, detail="50% gone")
    (line,) = workflow_commands(batch(part(Part.AUDIT, 1, checks=(bad,))))
    assert line == (
        "::error title=P2.provenance::fail: 50%25 gone · distill audit-full --check P2.provenance"
    )


def test_an_annotation_stands_at_its_line_below_the_repository() -> None:
    (line, *_) = workflow_commands(breach(folder="data sets/one"))
    assert line.startswith(
        "::error file=data sets/one/exports/sft/train.jsonl,line=4,title=firewall::breach: "
    )
    assert line.endswith(" · from it follow: P4.sft-firewall, S1.P4.sft-leak")


def test_a_file_outside_the_workspace_gets_no_annotation_at_a_line() -> None:
    for name in ("/etc/passwd", "../../x"):
        bad = check("P2.provenance", CheckStatus.FAIL, examples=(Example(file=name, line=1),))
        (line,) = workflow_commands(batch(part(Part.AUDIT, 1, checks=(bad,))))
        assert line.startswith("::error title=")


def test_nine_are_shown_and_the_tenth_says_how_many_more() -> None:
    bad = tuple(check(f"P2.c{n}", CheckStatus.FAIL) for n in range(14))
    lines = workflow_commands(batch(part(Part.AUDIT, 1, checks=bad)))
    assert len(lines) == MAX_ANNOTATIONS + 1 == 10
    assert lines[-1] == "::notice title=distill::5 more in report.json"


def test_errors_come_before_warnings() -> None:
    lines = workflow_commands(batch(part(Part.RUN_ALL, 0, warnings=("slow",)), part(Part.FIREWALL, 10)))
    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning"]


def test_hostile_texts_begin_no_command_of_their_own() -> None:
    lines = workflow_commands(hostile_batch())
    assert lines
    for line in lines:
        assert _COMMAND.match(line), line
        assert "##[" not in line


def test_a_good_batch_has_nothing_to_annotate() -> None:
    assert workflow_commands(batch()) == []


# The page


def test_failures_stand_before_everything_else() -> None:
    checks = (
        check("P0.recon-doc"),
        check("P2.provenance", CheckStatus.FAIL, detail="12 rows resolve to nothing"),
    )
    page = summary(batch(part(Part.AUDIT, 1, checks=checks)))
    assert page.index("## P2.provenance: fail") < page.index("### P2.provenance · fail") < page.index("## P0")
    assert "12 rows resolve to nothing" in page


def test_what_follows_stands_beneath_its_cause() -> None:
    page = summary(breach())
    cause = page.index("## firewall: breach")
    assert cause < page.index("From it follow:") < page.index("- P4.sft-firewall fail")
    assert "## audit-full" not in page


def test_drift_stands_above_the_checks_only_when_something_moved() -> None:
    def drawn(status: DriftStatus) -> str:
        checks = (check("P2.conserves"),)
        return summary(batch(part(Part.AUDIT, 0, checks=checks, drift=(drift(status),))))

    first, moved = drawn(DriftStatus.NEW), drawn(DriftStatus.WARN)
    assert first.index("## P2") < first.index("## Drift")
    assert moved.index("## Drift") < moved.index("## P2")


def test_hostile_texts_become_neither_markup_nor_control_characters() -> None:
    page = summary(hostile_batch())
    assert "<script>" not in page
    assert all(character.isprintable() for line in page.split("\n") for character in line)
    assert not re.search(r"(?<!\\)`", page)


def test_a_page_stays_below_the_limit_and_counts_what_it_left_out() -> None:
    checks = tuple(check(f"P2.c{n}", CheckStatus.FAIL, detail="x" * 1500) for n in range(2000))
    page = summary(batch(part(Part.AUDIT, 1, checks=checks)))
    assert len(page.encode()) < MAX_BYTES < 1024 * 1024
    assert "more sections did not fit here" in page
    small = summary(batch(part(Part.AUDIT, 1, checks=checks[:3])), max_bytes=4_000)
    assert len(small.encode()) < 4_000
