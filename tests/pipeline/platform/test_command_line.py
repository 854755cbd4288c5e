"""What the parser says of a slip: three lines, in words of the command line."""

from __future__ import annotations

import pytest

from pipeline.contracts.command import Command, arg, within
from pipeline.contracts.faults import SettingsError
from pipeline.platform.command_line import parser_of

COMMAND = Command("try", "watch", "Try it.", "console", (
    arg("--rows", type=int, help="rows"),
    arg("--seconds", type=float, help="seconds"),
    arg("--workers", type=within(1, 8), help="workers"),
    arg("--profile", choices=("rich", "lean"), help="how"),
    arg("action", choices=("check", "suggest"), help="what"),
))  # fmt: skip


@pytest.mark.parametrize(
    ("words", "happened", "next_step"),
    [
        (["check", "--rows", "q"], "--rows takes a whole number, and 'q' is none", "distill try --help"),
        (["check", "--seconds", "q"], "--seconds takes a number, and 'q' is none", "distill try --help"),
        (["check", "--workers", "q"], "--workers takes a number, and 'q' is none", "distill try --help"),
        (["check", "--workers", "9"], "argument --workers: 9 is not between 1 and 8", "distill try --help"),
        (["chek"], "argument action: invalid choice: 'chek'", "Did you mean check?"),
        (["check", "--profile", "lena"], "invalid choice: 'lena'", "Did you mean lean?"),
        (["check", "--row", "1", "--sekonds", "2"], "unrecognized arguments: --sekonds 2", "mean --seconds?"),
        ([], "the following arguments are required: action", "distill try --help"),
    ],
)
def test_a_slip_is_told_in_three_lines_with_what_is_nearest(
    words: list[str], happened: str, next_step: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        parser_of(COMMAND).parse_args(words)
    what_happened, kept_safe, do_next = raised.value.fault.as_lines()
    assert f"distill try: {happened}" in what_happened or happened in what_happened
    assert "Nothing was read or written." in kept_safe
    assert next_step in do_next


@pytest.mark.parametrize("flag", ["--nonsens", "--xy", "-x"])
def test_what_is_no_slip_of_a_flag_suggests_none(flag: str) -> None:
    with pytest.raises(SettingsError) as raised:
        parser_of(COMMAND).parse_args(["check", flag])
    assert raised.value.fault.as_lines()[2].endswith("do next        distill try --help")
