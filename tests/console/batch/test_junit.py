"""JUnit has no schema of its own; these are the rules on which its readers agree."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from console.batch.junit import junit
from console.batch.outcome import BatchOutcome, PartState
from console.batch.parts import Part
from pipeline.contracts.checks import CheckStatus
from tests.console.batch.outcomes import batch, check, hostile_batch, part

_COUNTS = ("tests", "failures", "errors", "skipped")
_ATTRIBUTES = {
    "testsuites": {"name", "time", *_COUNTS},
    "testsuite": {"name", "time", "timestamp", *_COUNTS},
    "testcase": {"classname", "name", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "system-out": set(),
}
_CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "error", "skipped", "system-out"},
}
# Char of XML 1.0: https://www.w3.org/TR/xml/#charsets
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parsed(found: BatchOutcome) -> ElementTree.Element:
    """The document, after everything that a strict reader would object to."""
    data = junit(found)
    assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    assert not _NOT_XML.search(data.decode("utf-8"))
    root = ElementTree.fromstring(data)  # noqa: S314 - our own document
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) == _ATTRIBUTES[element.tag]
        assert {child.tag for child in element} <= _CHILDREN.get(element.tag, set())
        if "time" in element.attrib:
            assert float(element.attrib["time"]) >= 0
    for suite in root:
        cases = suite.findall("testcase")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        found_counts = {
            "tests": len(cases),
            "failures": len(suite.findall("testcase/failure")),
            "errors": len(suite.findall("testcase/error")),
            "skipped": len(suite.findall("testcase/skipped")),
        }
        assert {name: int(suite.attrib[name]) for name in _COUNTS} == found_counts
        assert all(len(case.findall("failure") + case.findall("error")) <= 1 for case in cases)
        names = [(case.attrib["classname"], case.attrib["name"]) for case in cases]
        assert len(names) == len(set(names))
    for name in _COUNTS:
        assert int(root.attrib[name]) == sum(int(suite.attrib[name]) for suite in root)
    return root


def case(root: ElementTree.Element, name: str) -> ElementTree.Element:
    return next(found for found in root.iter("testcase") if found.attrib["name"] == name)


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


def test_hostile_texts_leave_the_document_valid_xml_1_0() -> None:
    root = parsed(hostile_batch())
    text = case(root, "P2.provenance").find("failure")
    assert text is not None
    assert "\\x00" in (text.text or "")
    assert "<script>" in (text.text or "")
