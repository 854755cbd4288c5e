"""The page of ``distill report``: one whole file without script or address, whatever the data holds."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from console.cli import distill
from console.report.facts import read_facts
from console.report.page import _role, page
from console.report.text import lines
from pipeline.contracts.faults import ExitCode
from tests.console import states
from tests.console.report.pages import told
from tests.console.workspaces import empty_workspace, write

_VOID = {"meta", "br", "img", "input", "link", "hr"}
_TAGS = {
    *("html", "head", "body", "title", "style", "header", "section", "h1", "h2", "h3", "p", "div", "span"),
    *("strong", "code", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
    *("figure", "figcaption", "svg", "path", "line", "circle", "rect", "time", "meta", "br"),
}
_LOADS = {
    "src",
    "href",
    "action",
    "data",
    "poster",
    "srcset",
    "background",
    "style",
    "xlink:href",
    "formaction",
}


class Tree(HTMLParser):
    """Objects to everything that the page must not have, and remembers its texts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS, tag
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names))
        assert not [name for name in names if name.startswith("on") or name in _LOADS]
        self.tags.append(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            assert not re.search(r"url\(|@import|expression", data)
        self.texts.append(data)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


def parsed(text: str) -> Tree:
    tree = Tree()
    tree.feed(text)
    tree.close()
    assert tree.open == []
    assert text.startswith("<!doctype html>") or text.lstrip().startswith("<!doctype html>")
    assert all(character == "\n" or character.isprintable() for character in text)
    return tree


def test_the_page_tells_all_of_it(tmp_path: Path) -> None:
    tree = parsed(page(told(tmp_path)))
    said = " ".join(" ".join(tree.texts).split())
    for title in ("Batch", "Dashboard", "Drift over time", "Checks: audit", "Runs", "Incidents"):
        assert title in said
    assert "From it follow:" in said
    assert "the chain breaks at entry" in said
    assert tree.tags.count("path") == len(states.drifted().lines)


def test_a_state_is_coloured_when_it_means_something(tmp_path: Path) -> None:
    assert (_role("critical", "severity"), _role("pass", "check"), _role("new", "drift")) == (
        "fail",
        "ok",
        "accent",
    )
    # As everything was, and what a newer engine may say.
    assert (_role("same", "drift"), _role("fatal", "severity"), _role("", "phase")) == ("dim", "dim", "dim")


def test_hostile_data_becomes_text(tmp_path: Path) -> None:
    text = page(told(tmp_path, hostile=True))
    tree = parsed(text)
    assert "<script" not in text
    assert "<script>&" in "".join(tree.texts)
    assert "\\x1b[2J" in text


def test_no_script_may_run_and_nothing_may_be_fetched(tmp_path: Path) -> None:
    text = page(told(tmp_path))
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert not re.search(r"https?:|//[a-z]", text)


def test_an_empty_workspace_has_a_page_and_lines(tmp_path: Path) -> None:
    root = empty_workspace(tmp_path)
    facts = read_facts(root, replace(states.status(), runs=(), symptoms=(), answers=()))
    text = page(facts)
    assert "Never run." in text
    # Where nothing was looked for, nothing is green.
    assert '<strong class="warn">none so far</strong>0 of 17 checks run, 17 never' in text
    assert '<strong class="dim">not measured</strong>' in text
    assert "INCIDENTS  none" in list(lines(facts))


def test_garbage_beside_the_reports_costs_what_it_damaged(tmp_path: Path) -> None:
    root = empty_workspace(tmp_path)
    write(root, "data/_kb/audit_baselines.jsonl", b'\xff\n{"kind":"passed","metrics":{"x":"NaN"}}\n[]\n')
    write(root, "reports/distillation/phase8-full-audit-report.json", b"[1,")
    parsed(page(read_facts(root, states.status(drift=states.drifted()))))


def test_lines_are_text_alone(tmp_path: Path) -> None:
    assert all(line.isprintable() for line in lines(told(tmp_path, hostile=True)))


def test_the_command_writes_the_page_whole(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = empty_workspace(tmp_path / "w")
    place = tmp_path / "report.html"
    assert distill.main(["-C", str(root), "report", "--html", str(place), "--firewall-seconds", "0"]) == 0
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{place}: ")
    parsed(place.read_text(encoding="utf-8"))


def test_a_place_that_is_not_there_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = empty_workspace(tmp_path / "w")
    place = tmp_path / "no" / "report.html"
    code = distill.main(["-C", str(root), "report", "--html", str(place), "--firewall-seconds", "0"])
    assert code == ExitCode.NOT_EVALUABLE
    assert len(capfd.readouterr().err.splitlines()) == 3
