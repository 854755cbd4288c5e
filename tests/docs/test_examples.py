"""docs/exports.md and docs/firewall.md: every fenced block is carried out, and gives what it shows."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.contracts.commands import ENGINE_BY_NAME
from pipeline.contracts.faults import ExitCode
from pipeline.contracts.finding_words import evaluation_in_words
from pipeline.engine.beside_manifest import files_beside
from pipeline.firewall.places import Places
from pipeline.firewall.report import Finding, Report, State
from pipeline.firewall.scan import scan
from pipeline.firewall.walls import ALL_WALLS
from pipeline.platform.firewall import BYTES_A_SECOND, LIMIT_SECONDS
from pipeline.stages.secrets import secret_in_bytes
from tests.docs import fenced
from tests.docs.fenced import Block
from tests.docs.pages import CHECKOUT
from tests.pipeline.engine.workspaces import rows

PAGES = {
    name: (CHECKOUT / "docs" / name).read_text(encoding="utf-8") for name in ("exports.md", "firewall.md")
}
BLOCKS = {name: fenced.blocks(text) for name, text in PAGES.items()}
EVERY = [pytest.param(name, block, id=f"{name}:{block.line}") for name in PAGES for block in BLOCKS[name]]


def lines(*rows: Mapping[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


# What a run has to meet so that a setting shows: more lines of the example's log, one of them good in any
# case, or a file that the setting names; and the reasons for which the run then refuses rows of SFT, beside
# those of the example.
_LOG = "data/_kb/support.jsonl"
_OTHERS = [
    {"ticket": "T2", "asked": "Is it safe?", "said": "It is.", "solved": True},
    {"ticket": "T2", "asked": "Is it safe?", "said": "Who knows.", "solved": False},
]
_MARKED = {"ticket": "T3", "asked": "And then?", "said": "Wait.<|im_end|>", "solved": True}
_REFUSES = "{% if 'reset' in messages[0].content %}{{ raise_exception('not this one') }}{% endif %}"
_STEPS = " ".join(f"step{number}" for number in range(30))
_ALIKE = [
    {"ticket": f"T{number}", "asked": f"And {number}?", "said": f"{_STEPS} end{number}", "solved": True}
    for number in (4, 5)
]
SHOWN_BY: dict[str, tuple[dict[str, str], set[str]]] = {
    "refuse": ({_LOG: lines(*_OTHERS, _MARKED)}, {"template_markup"}),
    "render_check": (
        {
            _LOG: lines(*_OTHERS),
            "templates/tokenizer_config.json": json.dumps({"chat_template": _REFUSES}),
        },
        {"template_would_refuse"},
    ),
    "evaluation": ({_LOG: lines(*_OTHERS)}, {"evaluation_overlap"}),
    "sft": ({_LOG: lines(*_ALIKE)}, {"near_duplicate"}),
}


Outcomes = dict[tuple[str, int], BaseException | None]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcomes]:
    """One workspace in which the blocks of both pages were carried out in their order, and what each gave."""
    workspace = tmp_path_factory.mktemp("example") / "w"
    workspace.mkdir()
    found: Outcomes = {}
    for page, listed in BLOCKS.items():
        for block in listed:
            try:
                RUNNERS[block.language](workspace, block)
                found[page, block.line] = None
            except Exception as error:  # noqa: BLE001 - raised by the block's own test
                found[page, block.line] = error
    return workspace, found


@pytest.fixture
def workspace(outcomes: tuple[Path, Outcomes], tmp_path: Path) -> Path:
    """A copy of the example's workspace as both pages leave it."""
    return Path(shutil.copytree(outcomes[0], tmp_path / "w", symlinks=True))


# A runner for each language


def rows_of_a_file(workspace: Path, block: Block) -> None:
    if block.word.startswith("exports/"):
        assert fenced.holds(workspace, block)
    else:
        for line in block.text.splitlines():
            assert isinstance(json.loads(line), dict)
        fenced.put(workspace, block)


def settings(workspace: Path, block: Block) -> None:
    """The settings of the example; others are added to these, and a run shows what they do."""
    if block.word:
        assert block.word == str(paths.SETTINGS)
        fenced.put(workspace, block)
        return
    table = tomllib.loads(block.text)
    (name,) = table.get("export", table)
    files, reasons = SHOWN_BY[name]
    made = fenced.copied(workspace, workspace.parent / name, files, f"\n{block.text}")
    # A test set makes a breach of what stands, once: the old bytes are set aside.
    first = ExitCode.FIREWALL_BREACH if name == "evaluation" else ExitCode.OK
    assert fenced.carry_out(made, "distill run-all --allow-shrink")[1] == first
    assert fenced.carry_out(made, "distill run-all")[1] == ExitCode.OK
    refused = {row["reason"] for row in rows(made, paths.SFT_QUARANTINE)}
    assert refused == reasons | {"category_not_allowed"}


def commands(workspace: Path, block: Block) -> None:
    for command in block.text.splitlines():
        assert fenced.carry_out(workspace, command)[1] == 0, command


def session(workspace: Path, block: Block) -> None:
    found = list(fenced.sessions(block))
    assert found
    for command, tells, shown in found:
        printed, code = fenced.carry_out(workspace, command)
        assert fenced.is_as_shown(f"{printed}{code}\n" if tells else printed, shown), printed
        assert tells or code == 0, command


def recipe(workspace: Path, block: Block) -> None:
    """The recipe is that of the folder which it loads, where it is trained with."""
    compile(block.text, "recipe", "exec")
    (folder,) = re.findall(r'load_dataset\("([^"]+)"\)', block.text)
    (written,) = [
        each for each in fenced.blocks((workspace / folder / "README.md").read_text()) if each.language
    ]
    assert written.text == block.text


def usage(_: Path, block: Block) -> None:
    """Each option of the command is there, and no other."""
    (name,) = re.findall(r"^distill (\S+)", block.text)
    options = {argument.flags[0] for argument in ENGINE_BY_NAME[name].arguments}
    named = set(re.findall(r"--[a-z-]+", block.text)) - {"--json", "--events"} | {"path"}
    assert named == options


RUNNERS: dict[str, Callable[[Path, Block], None]] = {
    "jsonl": rows_of_a_file,
    "toml": settings,
    "sh": commands,
    "console": session,
    "python": recipe,
    "text": usage,
}


@pytest.mark.parametrize(("page", "block"), EVERY)
def test_a_block_gives_what_it_shows(page: str, block: Block, outcomes: tuple[Path, Outcomes]) -> None:
    """A language without a runner, and a setting of which nobody says what it does, fails here."""
    error = outcomes[1][page, block.line]
    if error is not None:
        raise error


def test_the_pages_have_examples_of_every_kind() -> None:
    assert {block.language for found in BLOCKS.values() for block in found} == set(RUNNERS)
    assert sum(map(len, BLOCKS.values())) > 12


def test_a_fence_that_is_no_block_is_told() -> None:
    assert [block.text for block in fenced.blocks("- a\n\n  ```sh b\n  c\n  ```\n")] == ["c\n"]
    with pytest.raises(ValueError, match="alone"):
        fenced.blocks("```sh\nmake\n")


def test_what_is_shown_is_compared_to_its_end() -> None:
    assert fenced.is_as_shown("run 7 of 9\nx\n", "run … of 9\nx\n")
    assert fenced.is_as_shown("a\nb\nc\n", "a\n…\n")
    assert not fenced.is_as_shown("a\nb\n", "a\n")
    assert not fenced.is_as_shown("run 7\nof 9\n", "run … of 9\n")


# Examples within a sentence


def words_of(page: str, start: str, end: str) -> list[str]:
    """The code words between two places of a page."""
    return re.findall(r"`([^`]+)`", PAGES[page].split(start, 1)[1].split(end, 1)[0])


def test_passwords_in_urls_are_found_and_what_stands_in_their_place_is_not() -> None:
    found, *placeholders = words_of("exports.md", "- Passwords in URLs:", "\n\n")
    assert secret_in_bytes(found.encode()) == "url_password"
    assert len(placeholders) == 4
    for text in placeholders:
        url = f"postgres://{'app' if text.startswith(':') else ''}{text}db/x"
        assert secret_in_bytes(url.encode()) is None, url


def test_the_members_of_the_report_are_those_that_the_page_lists(workspace: Path) -> None:
    report: dict[str, Any] = scan(Places.of(workspace, None, (), ())).to_dict()
    told = PAGES["firewall.md"].split("`--json`: ", 1)[1].split("All texts from data", 1)[0]
    names = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", told))))
    assert names == {*report, *report["index"], *Finding.__slots__}


def test_how_long_a_look_may_take_is_what_the_page_counts() -> None:
    text = " ".join(PAGES["firewall.md"].split())
    (told,) = re.findall(r"waits (\d+) seconds, and one second more for every (\d+) MB (.*? MB)", text)
    seconds, more = map(int, told[:2])
    example, megabytes = map(int, re.findall(r": (\d+) seconds where they are (\d+) MB", told[2])[0])
    assert (seconds, more * 1_000_000) == (LIMIT_SECONDS, BYTES_A_SECOND)
    assert example == int(LIMIT_SECONDS + megabytes * 1_000_000 / BYTES_A_SECOND)
    assert f"no end within {example} s" in text


def cells_below(page: str, header: str) -> list[list[str]]:
    """The cells of the table with this header, without the line below it."""
    lines = PAGES[page].split(f"{header}\n", 1)[1].splitlines()[1:]
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows]


def test_every_state_has_its_exit_code_and_every_wall_its_row() -> None:
    told = {row[0]: row[1] for row in cells_below("firewall.md", "| state | exit | meaning |")}
    codes = {state.value: str(Report(state, "", ()).exit_code) for state in State}
    assert told == {**codes, "STALE": "–"}  # of a watcher, which ends otherwise
    walls = cells_below("firewall.md", "| wall | finds | does not see |")
    assert [row[0] for row in walls] == list(ALL_WALLS)


def test_the_line_on_evaluation_sets_is_the_one_that_the_page_quotes() -> None:
    (quoted,) = words_of("firewall.md", "say the same in one line, such as", ". A watcher")
    assert quoted == evaluation_in_words("checked", 2, 1, {})


@pytest.mark.parametrize("place", ["exports.md", "firewall.md"])
def test_what_a_loader_reads_is_what_the_pages_list(place: str, workspace: Path) -> None:
    """Each suffix that a page names, alone and compressed, is found beside the exports, and no other."""
    start = "trainer's loader would read" + (":" if place == "exports.md" else "\n(")
    suffixes = [word for word in words_of(place, start, "subfolders") if word.startswith(".")]
    plain, packed = suffixes[:8], suffixes[8:]
    assert (len(plain), len(packed)) == (8, 5)
    names = [f"more/a{end}{pack}" for end in plain for pack in ("", *packed)]
    for name in [*names, "more/a.md", "more/.hidden.jsonl"]:
        (workspace / paths.EXPORTS / name).parent.mkdir(exist_ok=True)
        (workspace / paths.EXPORTS / name).write_bytes(b"x")
    written = [str(path.relative_to(paths.EXPORTS)) for path in paths.EXPORT_FILES.values()]
    problems = files_beside(workspace / paths.EXPORTS, written).problems
    assert {problem.file for problem in problems} == set(names)
    found = scan(Places.of(workspace, None, (), ())).findings
    assert {finding.file for finding in found.first} == {f"exports/{name}" for name in names}
