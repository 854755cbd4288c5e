"""The changes are what they are called, only a test that noticed counts, and a run goes on where it ended."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutation.changes import changes
from tests.mutation.choice import files_that_name
from tests.mutation.equivalents import LIST, equivalents, key_of
from tests.mutation.page import page
from tests.mutation.record import Record, Result, exit_code, table
from tests.mutation.sample import drawn, sample
from tests.mutation.trial import CHECKOUT, NothingAskedError, Outcome, Tree, UnendedError

SOURCE = b'''\
"""1 < 2."""
def look(a: int, b: int) -> None:
    """Not 3 == 3."""
    if a < b:
        return
    if not a and b:
        act(a, b)
    x = "\xc3\xa9"; close(x)
'''


@pytest.mark.parametrize(
    ("kind", "was", "becomes"),
    [
        ("comparison", b"if a < b", b"if (a <= b)"),
        ("dropped guard", b"if a < b", b"if False"),
        ("dropped not", b"not a and b", b"(a) and b"),
        ("and/or", b"not a and b", b"(not a or b)"),
        ("swapped arguments", b"act(a, b)", b"act(b, a)"),
        ("dropped call", b"act(a, b)", b"pass"),
        ("dropped call", b"close(x)", b"pass"),
        ("early return", b"close(x)", b"return"),
    ],
)
def test_a_change_is_one_and_what_it_is_called(kind: str, was: bytes, becomes: bytes) -> None:
    made = [change.applied(SOURCE) for change in changes(SOURCE) if change.kind == kind]
    assert SOURCE.replace(was, becomes) in made


def test_words_and_annotations_are_left_alone() -> None:
    assert {change.line for change in changes(SOURCE)} == {4, 6, 7, 8}


def test_a_change_that_fits_no_more_is_refused() -> None:
    with pytest.raises(ValueError, match="line 4 is another one"):
        changes(SOURCE)[0].applied(SOURCE.replace(b"a < b", b"a > b"))


def test_what_a_string_holds_is_changed_where_it_stands_or_not_at_all() -> None:
    source = b'def look(a, b):\n    return (f"{a < b}"\n        f"{a:>{b > 2}}")\n'
    for change in changes(source):
        compile(change.applied(source), "look", "exec")
        assert change.before in ("a < b", "b > 2", "2")


def test_a_swapped_question_of_a_type_is_no_change() -> None:
    kinds = [change.kind for change in changes(b"x = isinstance(a, b)\ny = act(a, b)\n")]
    assert kinds == ["swapped arguments"]


def test_an_awaited_call_can_be_dropped() -> None:
    source = b"async def look(a):\n    await a.close()\n    return 7\n"
    assert b"    pass\n" in next(c.applied(source) for c in changes(source) if c.kind == "dropped call")


def test_the_sample_is_the_seeds_and_goes_around_the_packages() -> None:
    first = list(itertools.islice(sample(1), 30))
    assert first == list(itertools.islice(sample(1), 30))
    assert len({stratum for stratum, _, _ in first}) == 30
    assert first != list(itertools.islice(sample(2), 30))


def test_what_is_drawn_of_a_module_is_the_same_whatever_is_tried_beside_it() -> None:
    alone = {module: change for _, module, change in sample(1, "pipeline/drift")}
    among = {module: change for _, module, change in sample(1, "pipeline") if module in alone}
    assert alone
    assert among == alone
    assert all(drawn(1, module) == change for module, change in alone.items())


def test_a_modules_tests_are_those_that_name_it() -> None:
    assert files_that_name(Path("pipeline/stages/secrets.py"))[0] == "tests/pipeline/stages/test_secrets.py"


def test_a_module_that_no_test_names_is_asked_about_through_those_that_import_it() -> None:
    # Asked for by a symptom's diagnosis, and by no test.
    files = files_that_name(Path("runbook/symptoms/materialize_causes.py"))
    assert files[0] == "tests/runbook/symptoms/test_materialize.py"
    # Named by one, and judged by what its importers' tests say as well.
    files = files_that_name(Path("pipeline/firewall/conversation.py"))
    assert files[0] == "tests/pipeline/firewall/test_fast_reading.py"
    assert "tests/pipeline/firewall/test_walls.py" in files
    # By way of what the tests of its package have in common.
    assert "tests/pipeline/formats/test_refusals.py" in files_that_name(
        Path("pipeline/formats/trl_preference.py")
    )
    # Tried as a program.
    assert files_that_name(Path("console/watch/loop.py"))[0] == "tests/console/test_watch_command.py"


class _Scripted(Tree):
    """A tree whose tests fail as a script says: by whether the change is there, and by the tests asked."""

    all_are_slow = False

    def __init__(self, folder: Path, with_change: dict[str, bool], without: dict[str, bool]) -> None:
        self.root = folder
        self._fails = {True: with_change, False: without}
        (folder / "module.py").write_text("x = 1 < 2\n")

    def first_that_fails(
        self, tests: Sequence[str], without: Sequence[str] = (), marks: str = "", seconds: float = 1.0
    ) -> str | None:
        if marks and self.all_are_slow:
            raise NothingAskedError
        fails = self._fails["<=" in (self.root / "module.py").read_text()]
        for each in tests:
            if each not in without and fails[each]:
                return each
        if set(tests) <= set(without):
            raise NothingAskedError
        return None


COMPARISON = changes(b"x = 1 < 2\n")[0]


@pytest.mark.parametrize(
    ("with_change", "without", "outcome"),
    [
        ({"a": False, "b": True}, {"a": False, "b": False}, Outcome("killed", "b")),
        ({"a": False, "b": False}, {"a": False, "b": False}, Outcome("survived")),
        ({"a": True, "b": False}, {"a": True, "b": False}, Outcome("survived")),
        ({"a": True, "b": True}, {"a": True, "b": False}, Outcome("killed", "b")),
        ({"a": True, "b": True}, {"a": True, "b": True}, Outcome("unclear", "b")),
    ],
)
def test_a_test_that_fails_without_the_change_is_put_aside(
    tmp_path: Path, with_change: dict[str, bool], without: dict[str, bool], outcome: Outcome
) -> None:
    tree = _Scripted(tmp_path, with_change, without)
    assert tree.tried(Path("module.py"), COMPARISON, ["a", "b"]) == outcome
    assert (tmp_path / "module.py").read_text() == "x = 1 < 2\n"


def test_slow_tests_are_asked_where_there_are_no_others(tmp_path: Path) -> None:
    tree = _Scripted(tmp_path, {"a": True}, {"a": False})
    tree.all_are_slow = True
    assert tree.tried(Path("module.py"), COMPARISON, ["a"]) == Outcome("killed", "a")


@pytest.mark.parametrize(("also_without", "verdict"), [(False, "killed"), (True, "unclear")])
def test_a_time_that_is_over_is_the_changes_only_where_it_is_not_without_it(
    tmp_path: Path, also_without: bool, verdict: str
) -> None:
    class Endless(_Scripted):
        def first_that_fails(
            self, tests: Sequence[str], without: Sequence[str] = (), marks: str = "", seconds: float = 1.0
        ) -> str | None:
            if "<=" in (self.root / "module.py").read_text() or also_without:
                raise UnendedError
            return None

    tree = Endless(tmp_path, {}, {})
    assert tree.tried(Path("module.py"), COMPARISON, ["a"]).verdict == verdict


def test_a_copy_is_noticed_when_it_is_changed(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    assert tree.imports_itself()
    assert not (tree.root / "pipeline/__init__.py").is_symlink()
    assert (tree.root / "Makefile").read_bytes() == (CHECKOUT / "Makefile").read_bytes()
    test = tree.root / "tests/test_it.py"
    test.write_text(
        "from pipeline.contracts.faults import ExitCode\ndef test_it(): assert ExitCode.OK == 0\n"
    )
    assert tree.first_that_fails(["tests/test_it.py"]) is None
    faults = Path("pipeline/contracts/faults.py")
    source = (tree.root / faults).read_bytes()
    change = next(
        each for each in changes(source) if each.kind == "number" and b"OK = 1\n" in each.applied(source)
    )
    outcome = tree.tried(faults, change, ["tests/test_it.py"])
    assert outcome.verdict == "killed"
    assert outcome.by.endswith("test_it.py::test_it")
    assert (tree.root / faults).read_bytes() == source


# What is kept of it

RESULT = Result("pipeline/drift", "pipeline/drift/x.py", "d1", 7, "comparison", "a < b", "(a <= b)")


def test_a_record_knows_a_change_of_the_same_text_alone(tmp_path: Path) -> None:
    record = Record(tmp_path / "r/1.jsonl")
    record.add(replace(RESULT, verdict="survived"))
    record.add(replace(RESULT, verdict="killed", by="t"))
    with (tmp_path / "r/1.jsonl").open("a") as file:
        file.write('{"stratum": "cut o')
    again = Record(tmp_path / "r/1.jsonl")
    assert again.of(RESULT) == replace(RESULT, verdict="killed", by="t")
    assert again.of(replace(RESULT, digest="d2")) is None


def results(**counts: int) -> list[Result]:
    return [replace(RESULT, verdict=verdict) for verdict, count in counts.items() for _ in range(count)]


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (results(killed=9, survived=1), 0),
        (results(killed=8, survived=1), 1),
        (results(killed=8, survived=1, equivalent=9), 1),
        (results(killed=9, survived=1, unclear=9), 0),
        (results(unclear=3, equivalent=1), 3),
        ([*results(killed=40), *(replace(each, stratum="b") for each in results(killed=4, survived=1))], 0),
        ([*results(killed=40), *(replace(each, stratum="b") for each in results(killed=3, survived=1))], 1),
    ],
)
def test_nine_of_ten_have_to_be_noticed_and_four_of_five_in_a_package(found: list[Result], code: int) -> None:
    assert exit_code(found) == code


def test_the_page_has_the_table_and_each_that_was_not_noticed() -> None:
    found = [
        *results(killed=9),
        replace(RESULT, verdict="survived"),
        replace(RESULT, verdict="equivalent", by="So."),
    ]
    assert table(found)[2:] == [
        "| `pipeline/drift` | 11 | 1 | 9 | 1 | 0 |",
        "| *all* | 11 | 1 | 9 | 1 | 0 |",
    ]
    text = page(found, 12, 4, "2026-01-02")
    assert "Seed 4, 2026-01-02, Python " in text
    assert "Of 12 changes 11 were tried; 9 of 10 were noticed." in " ".join(text.split())
    line = "- `pipeline/drift/x.py`, comparison: `` a < b `` → `` (a <= b) ``."
    assert text.count(f"{line}\n") == 1
    assert text.count(f"{line} So.\n") == 1


def test_each_equivalent_is_a_change_that_can_still_be_drawn() -> None:
    for module, kind, before, after in equivalents():
        there = {key_of(Path(module), change) for change in changes((CHECKOUT / module).read_bytes())}
        assert (module, kind, before, after) in there
    assert all(len(why) > 20 for why in equivalents().values())
    listed = tomllib.loads(LIST.read_text("utf-8"))["change"]
    assert len(listed) == len(equivalents()), "none twice"
