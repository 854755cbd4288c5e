"""``lineage`` compares what a row says with what its run said, and says where the two part."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import main
from pipeline.contracts import paths
from pipeline.lineage import Lineage, evidence_of, runs_in, trace
from pipeline.run_texts import parts_of_row
from pipeline.settings.load import load_settings
from tests.pipeline.engine.workspaces import make_workspace

Row = dict[str, Any]
KINDS = tuple(paths.EXPORT_FILES)
RECORDED_AT = "2026-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_workspace(tmp_path_factory.mktemp("texts") / "w")
    assert main(["run-all", "-C", str(root), "--workers", "1", "--recorded-at", RECORDED_AT]) == 0
    return root


@pytest.fixture
def workspace(built: Path, tmp_path: Path) -> Path:
    shutil.copytree(built, tmp_path / "w")
    return tmp_path / "w"


def rows(root: Path, kind: str) -> list[Row]:
    return [json.loads(line) for line in (root / paths.EXPORT_FILES[kind]).read_bytes().splitlines()]


def one(root: Path, kind: str, stream: str) -> Row:
    return next(row for row in rows(root, kind) if row["stream"] == stream)


def parted(root: Path, kind: str, row: Row) -> list[str]:
    """All that is said of a row held against each run that it names."""
    said: list[str] = []
    for run_id, role in runs_in(row):
        found = evidence_of(root, run_id)
        assert found is not None
        said += parts_of_row(kind, row, found.row, role)
    return said


def traced(root: Path, asked: str) -> Lineage:
    return trace(root, load_settings(root).settings, asked)


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_that_the_exporter_wrote_says_what_its_run_said(built: Path, kind: str) -> None:
    assert {row["stream"] for row in rows(built, kind)} == {"runs", "chats"}
    for row in rows(built, kind):
        assert parted(built, kind, row) == [], row["id"]
        assert traced(built, row["id"]).ok


def put(row: Row, path: tuple[Any, ...], change: Callable[[str], str]) -> Row:
    row = copy.deepcopy(row)
    at: Any = row
    for step in path[:-1]:
        at = at[step]
    changed = change(at[path[-1]])
    assert changed != at[path[-1]]
    at[path[-1]] = changed
    return row


PLACES = [
    ("sft", "runs", ("response",), "its response parts from its run at character 1"),
    ("sft", "runs", ("instruction",), "its instruction parts from its run"),
    ("sft", "runs", ("messages", 1, "content"), "the text of its turn 2 parts from its run at character 1"),
    ("sft", "chats", ("context",), "its context parts from its run"),
    ("sft", "chats", ("messages", -1, "content"), "the text of its turn 5 parts from its run"),
    ("sft", "chats", ("messages", 2, "tool_calls"), "the calls of its turn 3 are not those of its run"),
    ("rag", "runs", ("content",), "its content parts from its run at the task"),
    ("rag", "chats", ("content",), "its content parts from its run at the task"),
    ("rag", "runs", ("embedding_text",), "its embedding_text parts from its run"),
    ("preference", "runs", ("prompt", 0, "content"), "chosen: the text of its turn 1 parts from its run"),
    ("preference", "runs", ("rejected", 0, "content"), "rejected: the text of its turn 2 parts from its run"),
    ("preference", "chats", ("chosen", 0, "tool_calls"), "chosen: the calls of its turn 3 are not those"),
]


@pytest.mark.parametrize(("kind", "stream", "path", "words"), PLACES)
def test_an_edited_text_is_named_with_its_place(
    built: Path, kind: str, stream: str, path: tuple[Any, ...], words: str
) -> None:
    def edit(text: str) -> str:
        if path[-1] == "tool_calls":
            return text.replace('"look"', '"drop"')
        return text.replace("# Task\n\n", "# Task\n\nNow: ") if "# Task" in text else text.swapcase()

    said = parted(built, kind, put(one(built, kind, stream), path, edit))
    assert any(sentence.startswith(words) for sentence in said), said


UNSEEN: list[Callable[[str], str]] = [
    lambda text: text.replace(" ", " \u200b", 1),
    lambda text: text + " \r\n",
    lambda text: f"```text\n{text}\n```",
    lambda text: f"\ufeff{text}",
    lambda text: text.replace(" ", " \u200d", 1),
    lambda text: text + "\n" * 5_000,
]
SEEN: list[Callable[[str], str]] = [
    lambda text: text.replace(" ", "  ", 1),
    lambda text: f"{text}!",
    lambda text: f"```text\n{text}\n```\nand that is all",
    lambda text: text.replace("s", "\u0441", 1),  # Cyrillic
    lambda text: text.upper(),
    lambda _: "",
]


@pytest.mark.parametrize("number", range(len(UNSEEN)))
def test_what_nobody_sees_is_told_all_the_same(built: Path, number: int) -> None:
    row = put(one(built, "sft", "runs"), ("messages", 1, "content"), UNSEEN[number])
    assert parted(built, "sft", row) == ["its turn 2 holds characters that its run did not say"]
    row = put(one(built, "sft", "runs"), ("response",), UNSEEN[number])
    assert parted(built, "sft", row) == ["its response holds characters that its run did not say"]
    for path in (("content",), ("embedding_text",)):
        assert len(parted(built, "rag", put(one(built, "rag", "runs"), path, UNSEEN[number]))) == 1
    for side in ("chosen", "rejected"):
        row = put(one(built, "preference", "runs"), (side, 0, "content"), UNSEEN[number])
        assert parted(built, "preference", row) == [
            f"{side}: its turn 2 holds characters that its run did not say"
        ]


@pytest.mark.parametrize("number", range(len(SEEN)))
def test_what_can_be_seen_parts_them(built: Path, number: int) -> None:
    row = put(one(built, "sft", "runs"), ("messages", 1, "content"), SEEN[number])
    assert len(parted(built, "sft", row)) == 1


def test_a_call_is_its_json_value_to_the_last_digit(built: Path) -> None:
    row = one(built, "sft", "chats")
    calls = row["messages"][2]["tool_calls"]
    assert '{\\"node\\":' in calls.replace(" ", "")

    def with_arguments(given: str) -> Row:
        return put(
            row, ("messages", 2, "tool_calls"), lambda _: json.dumps([{"name": "look", "arguments": given}])
        )

    node = json.loads(json.loads(calls)[0]["arguments"])["node"]
    assert parted(built, "sft", with_arguments(f'{{ "node" : {node}.0 }}')) == [
        "its turn 3 holds characters that its run did not say"
    ]
    for other in (
        f'{{"node": {node}.00000000000000000000001}}',
        f'{{"node": "{node}"}}',
        '{"node": true}',
        "{}",
    ):
        assert parted(built, "sft", with_arguments(other)) == [
            "the calls of its turn 3 are not those of its run"
        ]


@pytest.mark.parametrize("member", ["messages", "instruction", "response", "tools"])
@pytest.mark.parametrize("value", [7, [7], [{"role": "model", "content": "x"}], {"a": 1}])
def test_a_row_of_another_make_is_said_and_stops_nothing(built: Path, member: str, value: object) -> None:
    row = one(built, "sft", "runs") | {member: value}
    assert any("cannot be compared" in sentence for sentence in parted(built, "sft", row))


def test_swapped_sides_and_a_longer_playbook_are_said(built: Path) -> None:
    pair = one(built, "preference", "chats")
    swapped = pair | {"chosen": pair["rejected"], "rejected": pair["chosen"]}
    assert {sentence.partition(":")[0] for sentence in parted(built, "preference", swapped)} == {
        "chosen",
        "rejected",
    }
    longer = put(one(built, "rag", "chats"), ("content",), lambda text: f"{text}\n\n## Step 9\n\nObey me.")
    assert parted(built, "rag", longer) == [
        "its content goes on behind the last answer of its run: 'Obey me.'"
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_lineage_ends_with_1_by_row_and_by_run_and_names_the_place(
    workspace: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace / paths.EXPORT_FILES[kind]
    first, *others = path.read_bytes().splitlines(keepends=True)
    row = json.loads(first)
    edited = first.replace(b'"content":"', b'"content":"Obey \\u001b[31mme. ', 1)
    assert edited != first
    path.write_bytes(b"".join((edited, *others)))
    run_id = row.get("source_run_id", row.get("chosen_run_id"))
    for asked, place in ((row["id"], ""), (run_id, f"{paths.EXPORT_FILES[kind]}:1: ")):
        assert main(["lineage", asked, "-C", str(workspace)]) == 1
        said = capsys.readouterr().out
        broken = [line for line in said.splitlines() if line.startswith("BROKEN")]
        assert broken
        assert place in broken[0]
        assert "\x1b" not in said


def test_rows_of_version_1_are_not_compared(workspace: Path) -> None:
    manifest = workspace / paths.EXPORT_MANIFEST
    said = json.loads(manifest.read_bytes())
    del said["schemas"]
    manifest.write_text(json.dumps(said))
    path = workspace / paths.RAG_EXPORT
    path.write_bytes(path.read_bytes().replace(b"# Task", b"## The task"))
    assert traced(workspace, rows(workspace, "rag")[0]["id"]).ok
