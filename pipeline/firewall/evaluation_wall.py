"""The evaluation wall: rows of training files that hold items of declared test sets.

Files are read once for rows that hold half of an item; only when there is such a row is the
evidence read, to learn which of its phrases are common to many tasks and say nothing.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.contracts import paths
from pipeline.contracts.finding_words import CHECKED, EVALUATION, NOT_EVALUATED
from pipeline.firewall import strict_json
from pipeline.firewall.causes import read_json
from pipeline.firewall.evaluation_sets import (
    Corpora,
    Item,
    SetUnreadableError,
    cut_code,
    cut_words,
    declared_sets,
)
from pipeline.firewall.evaluation_texts import Texts, runs_of, texts_of
from pipeline.firewall.line_feed import bounded_lines
from pipeline.firewall.phrases import NGRAM, PhraseFinder
from pipeline.firewall.places import Places
from pipeline.firewall.plain_files import FileMissingError, FileRefusedError, open_regular
from pipeline.firewall.report import Finding, Findings, Report, State, shown_id
from pipeline.firewall.strict_json import UnreadableError

WALL = EVALUATION
_MOST_REPORT_BYTES = 64 * 1024 * 1024
_HALF = 0.5
_COMMON_TASKS = 10
_COMMON_SHARE = 0.01


class _Phrase(NamedTuple):
    """An n-gram of items of one side, cut in one way: the same words of another side are another phrase."""

    side: str
    is_code: bool
    gram: str


@dataclass
class _Suspect:
    """A run in a row that holds half of some item, if no phrase of it is common."""

    file: str
    line: int
    byte_offset: int
    row: dict[str, Any]
    shared: dict[Item, dict[str, set[int]]] = field(default_factory=lambda: defaultdict(dict))
    whole: list[Item] = field(default_factory=list)


class Examined(NamedTuple):
    """What a look found. ``sets`` is 0 where none is declared: not checked, never clear.

    ``sets`` is None where settings were not read or could not be. ``refused`` are the rows that the exporter
    says it kept out of the exports. ``doubt`` is why rows could not be held against the sets.
    """

    sets: int | None
    findings: Findings
    doubt: str | None = None
    doubtful: State = State.UNKNOWN  # what a file without findings is, with a doubt
    refused: int | None = None

    @property
    def is_due(self) -> bool:
        return bool(self.sets) or self.doubt is not None


def look(places: Places) -> Examined:
    """Hold the file, and beside a live SFT export the pairs, against the workspace's test sets."""
    if places.root is None:
        return Examined(None, Findings())
    files = [(places.shown, places.target)]
    if places.is_live:
        files.append((str(paths.PREFERENCE_EXPORT), places.root / paths.PREFERENCE_EXPORT))
    examined = examine(places.root, files, places.index_files()[1])
    return examined._replace(refused=_refused(places.root)) if examined.sets else examined


def joined(report: Report, examined: Examined) -> Report:
    """The report with what the wall found. A set that cannot be read leaves nothing clear."""
    if not examined.is_due:
        return replace(report, evaluation_sets=examined.sets)
    state, detail = report.state, report.detail
    if examined.findings.count:
        state = State.BREACH
    elif examined.doubt is not None and state in (State.CLEAR, State.ABSENT):
        state, detail = examined.doubtful, f"evaluation sets: {examined.doubt}"
    return replace(
        report,
        state=state,
        detail=detail,
        walls=report.walls if examined.doubt else (*report.walls, WALL),
        findings=report.findings.joined(examined.findings),
        evaluation=NOT_EVALUATED if examined.doubt else CHECKED,
        evaluation_sets=examined.sets,
        evaluation_refused=examined.refused,
        not_evaluated={**report.not_evaluated, WALL: examined.doubt}
        if examined.doubt
        else report.not_evaluated,
    )


def _refused(root: Path) -> int | None:
    """The rows that the exporter's report names: told beside what was found, and nothing follows from it."""
    told = read_json(root / paths.DECONTAMINATION, most_bytes=_MOST_REPORT_BYTES)
    sets = told.get("sets") if isinstance(told, dict) and told.get("checked") is True else None
    told_counts = [one.get("rows_refused") if isinstance(one, dict) else None for one in sets or ()]
    counts = [count for count in told_counts if isinstance(count, int)]
    return sum(counts) if sets and len(counts) == len(told_counts) else None


def examine(root: Path, files: Sequence[tuple[str, Path]], evidence: Sequence[Path]) -> Examined:
    """Look at ``files`` (name to show, path). What keeps the wall from looking is ``doubt``."""
    findings = Findings()
    try:
        corpora = declared_sets(root)
        suspects = [found for shown, path in files for found in _suspects(corpora, shown, path)]
        common = _common_phrases(suspects, evidence) if any(one.shared for one in suspects) else set()
    except SetUnreadableError as error:
        return Examined(None, findings, str(error))
    except OSError as error:
        return Examined(None, findings, error.strerror or type(error).__name__)
    told: tuple[str, int] | None = None
    for suspect in suspects:
        worst = _worst(suspect, common)
        row = suspect.file, suspect.line
        if worst is not None and row != told:  # of a pair one side is enough
            told = row
            findings.add(_finding(suspect, *worst))
    return Examined(corpora.sets, findings)


def _suspects(corpora: Corpora, shown: str, path: Path) -> Iterator[_Suspect]:
    if not corpora.sets:
        return
    for number, offset, line in _lines(path):
        try:
            row = strict_json.read(line)
        except UnreadableError:
            continue  # a finding of the readable wall
        if not isinstance(row, dict):
            continue
        for texts in runs_of(row):
            suspect = _Suspect(shown, number, offset, row)
            _search(corpora, texts, suspect)
            if suspect.whole or any(
                _share(item, grams, set()) >= _HALF for item, grams in suspect.shared.items()
            ):
                yield suspect


def _search(corpora: Corpora, texts: Texts, suspect: _Suspect) -> None:
    """Note what of the items the texts share."""
    for side, said in texts._asdict().items():
        for corpus in corpora.of_side[side]:
            for text in dict.fromkeys(said):  # turns stand beside the three texts that say the same
                cut = corpus.cut(text)
                suspect.whole += corpus.whole.get(" ".join(cut), ())
                for gram in corpus.finder.found_in(cut):
                    for item, start in corpus.ngrams[gram]:
                        suspect.shared[item].setdefault(gram, set()).add(start)


def _lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Line number, byte offset and bytes of each line; nothing of a file that is not there."""
    try:
        descriptor = open_regular(path)
    except FileMissingError:
        return
    except FileRefusedError as refused:
        raise SetUnreadableError(f"{path.name}: {refused}") from None
    with os.fdopen(descriptor, "rb") as file:
        offset = 0
        try:
            for number, line in enumerate(bounded_lines(file), start=1):
                yield number, offset, line.rstrip(b"\n")
                offset += len(line)
        except OSError as error:
            raise SetUnreadableError(f"{path.name}: {error.strerror}") from None


def _share(item: Item, grams: dict[str, set[int]], common: set[_Phrase]) -> float:
    """The share of an item's tokens that phrases cover which are not common, from 0 to 1."""
    covered: set[int] = set()
    for gram, starts in grams.items():
        if _Phrase(item.side, item.is_code, gram) not in common:
            for start in starts:
                covered.update(range(start, start + NGRAM))
    return len(covered) / item.size


def _common_phrases(suspects: list[_Suspect], evidence: Sequence[Path]) -> set[_Phrase]:
    """Of the phrases that suspects share, those that many tasks hold in runs with an answer."""
    wanted = {
        _Phrase(item.side, item.is_code, gram)
        for suspect in suspects
        for item, grams in suspect.shared.items()
        for gram in grams
    }
    finder = PhraseFinder(phrase.gram for phrase in wanted)
    tasks: set[tuple[str, str]] = set()
    of_phrase: dict[_Phrase, set[tuple[str, str]]] = defaultdict(set)
    for path in evidence:
        for _, _, line in _lines(path):
            try:
                row = strict_json.read(line)
            except UnreadableError:
                continue  # the index has counted it
            task = (str(row.get("stream")), str(row.get("task_id")))
            tasks.add(task)
            for phrase in _phrases(finder, texts_of(row, ("messages",))):
                if phrase in wanted:
                    of_phrase[phrase].add(task)
    limit = max(_COMMON_TASKS, _COMMON_SHARE * len(tasks))
    return {phrase for phrase, of_tasks in of_phrase.items() if len(of_tasks) > limit}


def _phrases(finder: PhraseFinder, texts: Texts) -> Iterator[_Phrase]:
    """What of the phrases a run says, cut in both ways; nothing of one that never was an example."""
    if not any(text.strip() for text in texts.answer):
        return
    for side, said in texts._asdict().items():
        for text in said:
            for is_code, cut in ((False, cut_words), (True, cut_code)):
                for gram in finder.found_in(cut(text)):
                    yield _Phrase(side, is_code, gram)


def _worst(suspect: _Suspect, common: set[_Phrase]) -> tuple[Item, float] | None:
    if suspect.whole:
        return suspect.whole[0], 1.0
    shares = [(_share(item, grams, common), item) for item, grams in suspect.shared.items()]
    share, item = max(shares, key=lambda found: found[0])
    return (item, share) if share >= _HALF else None


def _finding(suspect: _Suspect, item: Item, share: float) -> Finding:
    row = suspect.row
    run_id = row.get("source_run_id", row.get("chosen_run_id"))
    return Finding(
        wall=WALL,
        file=suspect.file,
        line=suspect.line,
        byte_offset=suspect.byte_offset,
        row_id=shown_id(row.get("id")),
        run_id=shown_id(run_id),
        detail=f"holds {share:.0%} of the {item.side} of {item.name}:{item.line}, a test set's item",
    )
