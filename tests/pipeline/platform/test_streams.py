"""Which locales are answered in ASCII: by their names, as Python's own encoding does not tell."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pipeline.platform.streams import asks_for_ascii

_SAY = r"""
import sys
from pipeline.platform import streams
streams.prepare()
streams.write(1, "\u2502 3 \u2192 4 \xe9")
streams.end()
"""
_LEFT_OUT = ("LANG", "LC_", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONCOERCECLOCALE")


def said(**environment: str) -> bytes:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
    ran = subprocess.run(
        [sys.executable, "-c", _SAY], env={**kept, **environment}, capture_output=True, check=True
    )
    return ran.stdout


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C"},  # Python's UTF-8 mode
        {"LC_ALL": "C", "PYTHONUTF8": "1", "LANG": "C.UTF-8"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LANG": "C"},  # Python puts C.UTF-8 into LC_CTYPE
        {"LANG": "POSIX", "LC_CTYPE": ""},
    ],
)
def test_the_c_locale_is_answered_in_ascii(environment: dict[str, str]) -> None:
    assert said(**environment) == b"| 3 -> 4 \\xe9"


@pytest.mark.parametrize(
    "environment",
    [
        {},  # none is named: no answer, so Python's choice stands
        {"LANG": "C.UTF-8"},
        {"LANG": "C", "LC_CTYPE": "C.UTF-8"},
        {"LC_ALL": "C", "PYTHONIOENCODING": "utf-8"},
    ],
)
def test_other_answers_stay_utf_8(environment: dict[str, str]) -> None:
    assert said(**environment) == "│ 3 → 4 é".encode()


def test_what_python_chose_by_itself_is_no_answer() -> None:
    chosen = {"LC_CTYPE": "C.UTF-8", "LANG": "C"}
    assert asks_for_ascii(chosen, utf8_mode=1)
    assert not asks_for_ascii(chosen, utf8_mode=0)
