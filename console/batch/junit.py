"""PURE: the report as JUnit XML: one suite for the parts, one for each phase that was checked.

Texts quote data, and XML 1.0 has no way to write most control characters at all; all of them have
become visible escapes. A required check that was not evaluated is an error there: whoever reads
only JUnit must not see green. The suite and the case of a cause come first, and what follows from it says so.

The document is valid against the XML schemas that Jenkins and its like hold it against; none of them has
an attribute for a file and a line, so that these begin the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from console.batch.causes import Cause, Trouble, causes, followed
from console.batch.outcome import BatchOutcome, PartOutcome, Word
from console.batch.titles import titled
from pipeline.contracts.checks import CheckResult, CheckStatus
from pipeline.contracts.moments import iso_utc
from pipeline.contracts.status import PHASE_NAMES
from pipeline.contracts.untrusted import visible

TEXT_CHARACTERS = 20_000


def junit(batch: BatchOutcome) -> bytes:
    """The document, encoded as UTF-8, with its declaration."""
    root = ElementTree.Element("testsuites", name="distill --batch")
    story = _Story.of(batch)
    suites = [("batch", [(story.rank("part", part.part), _part_case(part, story)) for part in batch.parts])]
    checks = [check for part in batch.parts for check in part.checks]
    for phase in dict.fromkeys(check.phase for check in checks):
        cases = [
            (story.rank("check", check.id), _check_case(check, story))
            for check in checks
            if check.phase == phase
        ]
        suites.append((f"{phase} {PHASE_NAMES.get(phase, '')}".strip(), cases))
    for name, ranked in sorted(suites, key=lambda suite: min((rank for rank, _ in suite[1]), default=_LAST)):
        _suite(root, name, [case for _, case in sorted(ranked, key=lambda each: each[0])], batch)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", f"{batch.elapsed_seconds:.3f}")
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


_LAST = 1_000_000


@dataclass(frozen=True)
class _Story:
    """Where each trouble stands among the causes and what follows from them."""

    causes: Sequence[Cause]
    because: dict[tuple[str, str], str]
    ranks: dict[tuple[str, str], int]

    @classmethod
    def of(cls, batch: BatchOutcome) -> _Story:
        found = causes(batch)
        order = [each.key for cause in found for each in (cause.trouble, *cause.consequences)]
        return cls(found, followed(found), {key: number for number, key in enumerate(order)})

    def rank(self, kind: str, name: str) -> int:
        return self.ranks.get((kind, name), _LAST)

    def trouble(self, kind: str, name: str) -> Trouble | None:
        everything = (each for cause in self.causes for each in (cause.trouble, *cause.consequences))
        return next((each for each in everything if each.key == (kind, name)), None)

    def told(self, kind: str, name: str, message: str) -> tuple[str, list[str]]:
        """The message with the place before it, and the lines that tell the story."""
        trouble, because = self.trouble(kind, name), self.because.get((kind, name))
        places = [str(place) for place in trouble.places] if trouble is not None else []
        lines = [f"{place}: {message}" for place in places[:1]] + places[1:]
        message = f"{places[0]}: {message}" if places else message
        if because is not None:
            return f"follows from {because}: {message}", [*lines, f"follows from {because}"]
        mine = [cause.consequences for cause in self.causes if cause.trouble.key == (kind, name)]
        return message, [*lines, *(f"from it follows {each.id}" for group in mine for each in group)]


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


def _part_case(part: PartOutcome, story: _Story) -> ElementTree.Element:
    case = _case("distill.batch", part.part, part.elapsed_seconds)
    word = part.word
    text, told = story.told("part", part.part, part.detail or part.said)
    lines = list(dict.fromkeys((*told, part.detail or part.said, part.said, *part.warnings)))
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


def _check_case(check: CheckResult, story: _Story) -> ElementTree.Element:
    case = _case(f"distill.{check.phase}", check.id, check.elapsed_seconds or 0.0)
    kind = "required" if check.required else "informational"
    message, told = story.told("check", check.id, check.detail)
    lines = [
        *told,
        f"{check.status}, {kind}: examined {check.examined:,}, failed {check.failed:,}",
        f"threshold {check.threshold or '-'}; observed {check.observed or '-'}",
        check.detail,
        *map(str, check.examples),
        f"reproduce: {check.reproduce}",
    ]
    match check.status:
        case CheckStatus.FAIL if check.required:
            _problem(case, "failure", check.status, message, lines)
        case CheckStatus.ERROR | CheckStatus.NOT_EVALUATED if check.required:
            _problem(case, "error", check.status, message, lines)
        case CheckStatus.NOT_EVALUATED:
            ElementTree.SubElement(case, "skipped", message="not evaluated")
        case _:
            _output(case, lines)
    return case


def _case(class_name: str, name: str, seconds: float) -> ElementTree.Element:
    return ElementTree.Element(
        "testcase",
        classname=_attribute(class_name),
        name=_attribute(titled(name)),
        time=f"{max(0.0, seconds):.3f}",
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
