"""A pattern of the settings finds what Python's ``re`` finds, in time linear in the text, or is refused."""

from __future__ import annotations

import re
import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.settings.patterns import compile_pattern

PATTERNS = (
    r"\d+",
    r"\D+",
    r"\w+$",
    r"^(\s*)",
    r"a$",
    r"(a|b)$",
    r"(a$|b)",
    r"^(.*)$",
    r"([^x]*)$",
    r"([^x]*?)$",
    r"x$|(b)",
    r"(?:a$)?b",
    r"^\s*$",
    r"^$",
    r"$",
    r"(?m)^(a.*)$",
    r"(?m:^a$)|b$",
    r"(?s).*$",
    r"(?i:A)b$",
    r"(?a)\w+",
    r"(?a:\d)+\w",
    r"(?u)\w+",
    r"(?#of no use)a",
    r"[\s\S]+$",
    r"[^\S\n]+",
    r"[\w.]+@[\w.]+$",
    r"[^\W_]+",
    r"[^\W\d_]+",
    r"[\W_]+",
    r"[\d\]é]+",
    r"[]a]+",
    r"[^]a]+",
    r"a[[x]",
    r"[$]",
    r"\$",
    r"a{,2}",
    r"a{1,}b",
    r"(?P<name>\w+)\Z",
    r"\u00e9",
    r"[\u00e9-\u00ff]+",
    r"\U0001f600|\x41",
    r"\bfoo\b",
    r"\.jsonl?$",
    r"a(?=b)",
    r"(?<=a)b",
    r"(?<!a)b",
    r"(?<![ab])\w+(?![x.])",
    r"(?<=\[)[^@]*(?=@)",
    r"(?<!\d)(a|b)+(?=\s|$)",
    r"(?<=ab|xB)(.)",
    r"\w+(?!\w)",
    r"(?<!\n)a$",
    r"[(](?![)])",
    r"a*?(?=b)",
    r"(?<=^)a",
)
TEXTS = st.text(st.sampled_from("ab x\n\rBé\u00a0٣²_.$]A[@fo😀\\"), max_size=12)


def by_re(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text)
    return match.group(min(1, match.re.groups)) if match else None


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.filterwarnings("ignore::FutureWarning")
@given(text=TEXTS)
def test_a_pattern_finds_what_re_finds(pattern: str, text: str) -> None:
    compiled = compile_pattern(pattern)
    assert compiled.find(text) == by_re(pattern, text)
    assert compiled.found(text) == (re.search(pattern, text) is not None)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"a$", "a\nb", None),
        (r"(?m)a$", "a\nb", "a"),
        (r"(?m)(?s:a$)", "a\nb", "a"),
        (r"(?m:(?i:A$))|x", "a\nb", "a"),
        (r"(?m)(?-m:a$)", "a\nb", None),
        (r"(?m:x)?a$", "a\nb", None),
        (r"(?m)(a)(?:$)", "a\nb", "a"),
        (r"\w+", "é", "é"),
        (r"(?a)\w+", "é", None),
        (r"(?a)(?i:\w+)", "é", None),
        (r"(?a:x)?\w+", "é", "é"),
        (r"(?a)(?u:\w+)", "é", "é"),
        (r"(?a:(?i:\w))\w", "aé", "aé"),
    ],
)
def test_a_flag_counts_in_the_group_that_has_it_and_in_those_within(
    pattern: str, text: str, found: str | None
) -> None:
    assert compile_pattern(pattern).find(text) == found
    assert by_re(pattern, text) == found


@pytest.mark.parametrize("pattern", [r"\d", r"\w", r"\s", r"[\S]", r"[^\W_]"])
def test_classes_are_those_of_re_in_every_script(pattern: str) -> None:
    """But for what a newer Unicode says of a few characters, in one of the two."""
    compiled, original = compile_pattern(pattern), re.compile(pattern)
    old = unicodedata.ucd_3_2_0
    characters = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]
    known = [character for character in characters if old.category(character) != "Cn"]
    assert len(known) > 90_000
    differ = [one for one in known if compiled.found(one) != bool(original.search(one))]
    assert differ == []


@pytest.mark.parametrize(
    ("pattern", "text", "by_us"),
    [
        (r"\bé", "é", None),
        (r"a$\n", "a\n", None),
        (r"(|a)+$", "a", "a"),
        (r"[\W.]", "é", "é"),
    ],
)
def test_what_differs_from_re_differs_as_the_page_says(pattern: str, text: str, by_us: str | None) -> None:
    assert compile_pattern(pattern).find(text) == by_us
    assert by_re(pattern, text) != by_us


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "not a regular expression: missing )"),
        (r"a(?=b)x*", "looks ahead or behind: put a group around what is wanted"),
        (r"a(?!bc)", "looks ahead or behind"),
        (r"(?<=a)b|c", "looks ahead or behind"),
        (r"x(?<!a)b", "looks ahead or behind"),
        (r"(a(?=b))", "looks ahead or behind"),
        (r"a(?=(b))", "looks ahead or behind"),
        (r"(?=a)", "looks ahead or behind"),
        (r"a(?!b|c)", "looks ahead or behind"),
        (r"(a)\1", "refers back to a group"),
        (r"(?P<n>a)(?P=n)", "refers back to a group"),
        (r"(a)?(?(1)b|c)", "refers back to a group"),
        (r"a++", "leave the second + or the ?> out"),
        (r"(?>a)", "leave the second + or the ?> out"),
        (r"(?x) a", "write it in one line"),
        (r"a{1001}", "write + or *"),
        (r"(a{500}){500}", "cannot be searched in linear time"),
        (r"\N{EM DASH}", "write the character itself"),
    ],
)
def test_what_cannot_run_is_refused_with_a_way_out(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        compile_pattern(pattern)


def test_a_thousand_repetitions_still_run() -> None:
    assert compile_pattern("^a{1000}$").found("a" * 1000)
    assert not compile_pattern("^a{1000}$").found("a" * 999)


def test_a_pattern_that_steps_back_without_end_in_re_ends_here() -> None:
    compiled = compile_pattern("^(a+)+$")
    started = time.process_time()
    assert not compiled.found("a" * 100_000 + "b")
    # ``re`` needs longer than this for 30 characters, and doubles with each further one.
    assert time.process_time() - started < 5
