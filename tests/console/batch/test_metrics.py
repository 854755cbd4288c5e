"""A batch and the dashboard as metrics that a collector reads."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from console.batch.metrics import batch_metrics, last_success_in
from console.batch.parts import Part
from console.cli import distill
from console.reading.workspace_reader import WorkspaceReader
from console.watch.metrics import Family, exposition, status_metrics
from pipeline.contracts.checks import CheckStatus
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.status import Answer, Verdict
from pipeline.reading.firewall_words import firewall_status
from tests.console.batch.outcomes import HOSTILE, STARTED, batch, check, drift, hostile_batch, part
from tests.console.view_states import status
from tests.console.workspaces import NOW, workspace_after_a_run

_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
# A sample ends after its value: the textfile collector refuses a file that has timestamps.
_SAMPLE = re.compile(
    rf"([a-zA-Z_][a-zA-Z0-9_]*)(\{{{_LABEL}(?:,{_LABEL})*\}})? (NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\Z"
)


def check_format(text: str) -> dict[str, str]:
    """Samples by name and labels, once the rules of the text format hold."""
    assert text.endswith("\n")
    assert "\n\n" not in text
    samples: dict[str, str] = {}
    announced: list[str] = []
    typed = ""
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in announced, "a family stands in one piece"
            announced.append(name)
        elif line.startswith("# TYPE "):
            typed = line.split(" ")[2]
            assert line == f"# TYPE {announced[-1]} gauge"
        else:
            found = _SAMPLE.match(line)
            assert found is not None, line
            assert found[1] == typed == announced[-1]
            key = found[1] + (found[2] or "")
            assert key not in samples, "no sample twice"
            samples[key] = found[3]
    _collected(text, len(samples))
    return samples


def _collected(text: str, samples: int) -> None:
    """The same by the collectors' own parser: every family has its words, and no sample is lost."""
    families = list(text_string_to_metric_families(text))
    assert sum(len(family.samples) for family in families) == samples
    for family in families:
        assert family.type == "gauge", family
        assert family.documentation, family
        assert family.samples, family
        assert {sample.name for sample in family.samples} == {family.name}, family
        assert all(sample.timestamp is None for sample in family.samples), family


def test_a_batch_is_valid_text_format_with_every_status_in_it() -> None:
    checks = (check("P2.conserves"), check("P0.recon-doc", CheckStatus.FAIL))
    report = {"counts": {"evidence": 143, "rag": 41}}
    found = batch(part(Part.RUN_ALL, 0, report=report), part(Part.AUDIT, 1, checks=checks, drift=(drift(),)))
    samples = check_format(batch_metrics(found))
    assert samples["distill_batch_exit_code"] == "1"
    assert (
        samples['distill_check_status{check="P0.recon-doc",phase="P0",required="true",status="fail"}'] == "1"
    )
    assert samples['distill_drift_ratio{metric="evidence_rows"}'] == "-0.5"
    assert samples['distill_rows{kind="evidence"}'] == "143"
    assert 'distill_rows{kind="sft"}' not in samples, "what is not known has no sample"


def test_hostile_texts_are_escaped_in_labels() -> None:
    samples = check_format(batch_metrics(hostile_batch()))
    assert any("\\\\x1b" in key for key in samples)


def test_the_last_success_outlives_a_failure() -> None:
    good = batch_metrics(batch())
    before = last_success_in(good)
    assert before == STARTED + 41.2
    bad = batch_metrics(batch(part(Part.AUDIT, 1)), last_success=before)
    assert last_success_in(bad) == before
    assert last_success_in(batch_metrics(batch(part(Part.AUDIT, 1)))) is None


def test_the_dashboard_is_valid_text_format(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = workspace_after_a_run(tmp_path_factory.mktemp("one"))
    samples = check_format(status_metrics(WorkspaceReader(root).read(NOW)))
    assert samples['distill_stream_rows{stream="taubench",kind="evidence"}'] == "10"
    assert samples['distill_phase_state{phase="P0",state="ok"}'] == "1"
    assert samples["distill_run_ok"] == "1"


def test_silence_tells_what_was_not_looked_for_from_what_is_clear() -> None:
    answers = (
        Answer(Verdict.CLEAR, "fine", NOW, id="S1.P1.schema"),
        Answer(Verdict.CLEAR, "fine", NOW, stale="touched", id="S1.P2.materialize"),
        Answer(Verdict.UNKNOWN, "no descriptor", NOW, id="S1.P4.sft-leak"),
        Answer(Verdict.UNKNOWN, "no audit", None, nothing_yet=True, id="S1.P7.replay"),
        Answer(Verdict.DETECTED, "gone", NOW, stale="touched", id="S1.P5.summary"),
    )
    samples = check_format(status_metrics(status(answers=answers, read_at=NOW)))
    shown = {key for key, value in samples.items() if "distill_symptom_state{" in key and value == "1"}
    words = {
        match[1]: match[2] for each in shown if (match := re.search(r'symptom="(.+?)".*state="(.+?)"', each))
    }
    assert {each.id: words[each.id] for each in answers} == {
        "S1.P1.schema": "clear",
        "S1.P2.materialize": "stale",
        "S1.P4.sft-leak": "unknown",
        "S1.P7.replay": "never",
        "S1.P5.summary": "detected",
    }
    counts = {
        word: int(samples[f'distill_symptom_detectors{{state="{word}"}}'])
        for word in ("evaluated", "unknown", "stale", "never")
    }
    assert counts == {"evaluated": 1, "unknown": 1, "stale": 2, "never": len(words) - 4}
    assert samples['distill_symptom_seen_timestamp_seconds{symptom="S1.P1.schema"}'] == f"{NOW:.0f}"


def test_a_name_that_the_format_has_not_is_refused() -> None:
    bad = Family(HOSTILE, "no such thing")
    with pytest.raises(ValueError, match="no metric name"):
        exposition([bad])


@pytest.mark.parametrize(
    ("value", "shown"), [(1.0, "1"), (0.25, "0.25"), (float("nan"), "NaN"), (float("-inf"), "-Inf")]
)
def test_values_are_spelled_as_the_format_has_them(value: float, shown: str) -> None:
    family = Family("one", "One.")
    family.add(value)
    assert exposition([family]).splitlines()[-1] == f"one {shown}"


# Walls: what was not looked for is told, never left out

SAID = {"state": "CLEAR", "rows_read": 9, "findings_count": 0, "walls": ["label"], "evaluation_sets": 0}


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({}, "not_checked"),
        ({"evaluation": "not_checked"}, "not_checked"),
        ({"evaluation": "checked", "evaluation_sets": 1, "evaluation_refused": 3}, "checked"),
        ({"evaluation": "not_evaluated", "not_evaluated": {"evaluation": "gone"}}, "not_evaluated"),
    ],
)
def test_both_textfiles_say_whether_evaluation_sets_were_looked_for(said: dict[str, Any], state: str) -> None:
    report = {**SAID, **said}
    firewall = firewall_status(report, NOW)
    for text in (
        status_metrics(status(firewall=firewall)),
        batch_metrics(batch(part(Part.FIREWALL, said="CLEAR", report=report))),
    ):
        shown = [line for line in text.splitlines() if line.startswith("distill_firewall_evaluation_sets{")]
        assert [line for line in shown if line.endswith(" 1")] == [
            f'distill_firewall_evaluation_sets{{state="{state}"}} 1'
        ]
        assert len(shown) == 3
        assert ("distill_evaluation_refused_rows 3" in text) is (state == "checked")
        assert ('wall_not_evaluated{wall="evaluation"} 1' in text) is (state == "not_evaluated")
        assert 'distill_firewall_wall_findings{wall="label"} 0' in text


def test_findings_are_told_by_wall_and_by_file() -> None:
    pairs = "exports/preference/pairs.jsonl"
    found = {"state": "BREACH", "findings_count": 2, "by_wall": {"evaluation": 2}, "by_file": {pairs: 2}}
    text = batch_metrics(batch(part(Part.FIREWALL, 10, said="BREACH", report={**SAID, **found})))
    assert 'distill_firewall_wall_findings{wall="evaluation"} 2' in text
    assert f'distill_firewall_file_findings{{file="{pairs}"}} 2' in text


# The command


def test_a_textfile_is_written_for_others_to_read(tmp_path: Path) -> None:
    root, place = workspace_after_a_run(tmp_path / "w"), tmp_path / "distill.prom"
    arguments = ["metrics", "--firewall-seconds", "0", "--out", str(place)]
    assert distill.main(["-C", str(root), *arguments]) == ExitCode.OK
    assert place.read_text().startswith("# HELP distill_status_read_timestamp_seconds ")
    assert stat.S_IMODE(place.stat().st_mode) & stat.S_IRUSR
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["distill.prom"]


def test_a_name_that_no_collector_reads_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = workspace_after_a_run(tmp_path / "w")
    assert distill.main(["-C", str(root), "metrics", "--out", str(tmp_path / "m.txt")]) == ExitCode.USAGE
    assert "Name it m.prom" in capsys.readouterr().err


def test_without_a_place_the_text_goes_to_standard_output(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = workspace_after_a_run(tmp_path / "w")
    assert distill.main(["-C", str(root), "metrics", "--firewall-seconds", "0"]) == ExitCode.OK
    assert 'distill_firewall_state{state="CLEAR"} ' in capfd.readouterr().out
