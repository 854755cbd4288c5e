"""The changes are what they are called, and a copy of the checkout imports itself."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.mutation.__main__ import sample
from tests.mutation.changes import changes
from tests.mutation.trial import CHECKOUT, Tree, files_that_name

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


def test_the_sample_is_the_seeds_and_goes_around_the_packages() -> None:
    drawn = list(itertools.islice(sample(1), 30))
    assert drawn == list(itertools.islice(sample(1), 30))
    assert len({stratum for stratum, _, _ in drawn}) == 30
    assert drawn != list(itertools.islice(sample(2), 30))


def test_a_modules_tests_are_those_that_name_it() -> None:
    assert "tests/pipeline/stages/test_secrets.py" in files_that_name(Path("pipeline/stages/secrets.py"))


def test_a_copy_is_noticed_when_it_is_changed(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    assert tree.imports_itself()
    assert not (tree.root / "pipeline/__init__.py").is_symlink()
    assert (tree.root / "Makefile").read_bytes() == (CHECKOUT / "Makefile").read_bytes()
    test = tmp_path / "test_it.py"
    test.write_text(
        "from pipeline.contracts.faults import ExitCode\ndef test_it(): assert ExitCode.OK == 0\n"
    )
    assert tree.fails([str(test)], 100) is False
    faults = tree.root / "pipeline/contracts/faults.py"
    faults.write_text(faults.read_text("utf-8").replace("OK = 0", "OK = 9"), "utf-8")
    assert tree.fails([str(test)], 100) is True
