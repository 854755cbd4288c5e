"""PURE: the report as JUnit XML: one suite for the parts, one for each phase that was checked.

Texts quote data, and XML 1.0 has no way to write most control characters at all; all of them have
become visible escapes. A required check that was not evaluated is an error there: whoever reads
only JUnit must not see green.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from console.batch.outcome import BatchOutcome, PartOutcome, Word
from pipeline.contracts.checks import CheckResult, CheckStatus
from pipeline.contracts.status import PHASE_NAMES, iso_utc
from pipeline.contracts.untrusted import visible

TEXT_CHARACTERS = 20_000


def junit(batch: BatchOutcome) -> bytes:
    """The document, encoded as UTF-8, with its declaration."""
    root = ElementTree.Element("testsuites", name="distill --batch")
    _suite(root, "batch", [_part_case(part) for part in batch.parts], batch)
    checks = [check for part in batch.parts for check in part.checks]
    for phase in dict.fromkeys(check.phase for check in checks):
        cases = [_check_case(check) for check in checks if check.phase == phase]
        _suite(root, f"{phase} {PHASE_NAMES.get(phase, '')}".strip(), cases, batch)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", f"{batch.elapsed_seconds:.3f}")
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _suite(
    root: ElementTree.Element, name: str, cases: Sequence[ElementTree.Element], batch: BatchOutcome
) -> None:
    def having(tag: str) -> str:
        return str(sum(case.find(tag) is not None for case in cases))

    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=_attribute(name),
        tests=str(len(cases)),
        failures=having("failure"),
        errors=having("error"),
        skipped=having("skipped"),
        time=f"{sum(float(case.get('time', '0')) for case in cases):.3f}",
        timestamp=(iso_utc(batch.started) or "").removesuffix("Z"),
    )
    suite.extend(cases)


def _part_case(part: PartOutcome) -> ElementTree.Element:
    case = _case("distill.batch", part.part, part.elapsed_seconds)
    word, text = part.word, part.detail or part.said
    lines = list(dict.fromkeys((text, part.said, *part.warnings)))
    match word:
        case Word.SKIPPED:
            ElementTree.SubElement(case, "skipped", message="skipped")
        case Word.FAIL | Word.BREACH:
            _problem(case, "failure", word, text, lines)
        case Word.ERROR | Word.NOT_EVALUATED | Word.TIMED_OUT | Word.NOT_RUN:
            _problem(case, "error", word, text, lines)
        case Word.PASS | Word.WARN:
            _output(case, [part.said, *part.warnings])
    return case


def _check_case(check: CheckResult) -> ElementTree.Element:
    case = _case(f"distill.{check.phase}", check.id, check.elapsed_seconds or 0.0)
    kind = "required" if check.required else "informational"
    lines = [
        f"{check.status}, {kind}: examined {check.examined:,}, failed {check.failed:,}",
        f"threshold {check.threshold or '-'}; observed {check.observed or '-'}",
        check.detail,
        *(f"{one.file or ''}:{one.line or ''} {one.run_id or ''} {one.text}" for one in check.examples),
        f"reproduce: {check.reproduce}",
    ]
    match check.status:
        case CheckStatus.FAIL if check.required:
            _problem(case, "failure", check.status, check.detail, lines)
        case CheckStatus.ERROR | CheckStatus.NOT_EVALUATED if check.required:
            _problem(case, "error", check.status, check.detail, lines)
        case CheckStatus.NOT_EVALUATED:
            ElementTree.SubElement(case, "skipped", message="not evaluated")
        case _:
            _output(case, lines)
    return case


def _case(class_name: str, name: str, seconds: float) -> ElementTree.Element:
    return ElementTree.Element(
        "testcase", classname=_attribute(class_name), name=_attribute(name), time=f"{max(0.0, seconds):.3f}"
    )


def _problem(case: ElementTree.Element, tag: str, kind: str, message: str, lines: Sequence[str]) -> None:
    found = ElementTree.SubElement(case, tag, message=_attribute(message or kind), type=_attribute(kind))
    found.text = _text(lines)


def _output(case: ElementTree.Element, lines: Sequence[str]) -> None:
    if any(lines):
        ElementTree.SubElement(case, "system-out").text = _text(lines)


def _attribute(text: str) -> str:
    return visible(text, 500)


def _text(lines: Sequence[str]) -> str:
    return "\n".join(visible(line) for line in lines if line)[:TEXT_CHARACTERS]
