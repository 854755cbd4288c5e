"""A mistake inside a stream's rules is found when the settings are read, on its line."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.faults import SettingsError
from pipeline.settings.load import load_settings
from pipeline.settings.mistakes import valid_keys
from pipeline.settings.rules import StreamFields
from tests.pipeline.settings.toml_writer import written

HEAD = """\
[[stream]]
name = "first"
path = "a.jsonl"
fields.task_id = "id"
[[stream]]
name = "s"
path = "s.jsonl"
"""


@pytest.mark.parametrize(
    ("rules", "line", "words"),
    [
        (
            '[stream.fields]\ntask_idd = "id"\n',
            9,
            'task_idd = "id": unknown key. Nearest valid key: "task_id".',
        ),
        ('[stream.fields]\nreward = { path = "r", divide = 10 }\n', 9, 'Nearest valid key: "divide_by".'),
        ('[stream.fields]\nreward = "a..b"\n', 9, 'stream[1].fields.reward = "a..b"'),
        ('[stream.fields]\nreward = { regex = "(" , path = "r" }\n', 9, "not a regular expression"),
        (
            "[stream.fields]\nreward = { regex = 'a(?=b)c', path = \"r\" }\n",
            9,
            'stream[1].fields.reward.regex = "a(?=b)c": cannot be searched in linear time: it looks ahead',
        ),
        (
            'where = { path = "x", matches = \'(a)\\1\' }\nfields.task_id = "id"\n',
            8,
            "cannot be searched in linear time: it refers back to a group: write out",
        ),
        (
            'role = "lookup"\nkey = "_file.line"\n',
            9,
            'key = "_file.line": a line of a look-up stream has no _file. Take its id from a member',
        ),
        (
            'fields.task_id = { lookup = "l", key = "_file.path", get = "_file.path" }\n'
            '[[stream]]\nname = "l"\nrole = "lookup"\npath = "l.jsonl"\nkey = "id"\n',
            8,
            'fields.task_id.get = "_file.path": a line of a look-up stream has no _file.',
        ),
        ('parts = { keys = ["a", "a"] }\nfields.task_id = "id"\n', 8, "names a key twice"),
        ('[stream.fields]\nreward = { path = "r", skip_missing = true }\n', 9, "belongs to join, zip, hash"),
        ("[stream.fields]\nreward = { }\n", 9, "needs exactly one of path"),
        ('[stream.fields]\nvalidation.ran = { pathh = "x" }\n', 9, 'Nearest valid key: "path".'),
        (
            '[stream.fields]\nverdict = { case = [\n{ when = "ok", then = { const = "pass" } },\n'
            '{ when = "ok", than = { const = "x" } },\n] }\n',
            11,
            'Nearest valid key: "then".',
        ),
        (
            'parts = [\n{ fields.response = "a" },\n{ fields.respons = "b" },\n]\nfields.tags = "id"\n',
            10,
            'respons = "b": unknown key. Nearest valid key: "response".',
        ),
        ('where = { path = "ok", equal = true }\nfields.task_id = "id"\n', 8, 'Nearest valid key: "equals".'),
        (
            'where = [\n"ok",\n{ path = "x" },\n]\nfields.task_id = "id"\n',
            10,
            "a condition on a path needs a test",
        ),
        ('preset = "openai_chatt"\n', 8, 'no such preset. Nearest: "openai_chat".'),
        (
            '[stream.fields]\ntags = [\n"a",\n{ lookup = "answrs", key = "k", get = "t" },\n]\n'
            '[[stream]]\nname = "answers"\nrole = "lookup"\nkey = "id"\npath = "l.jsonl"\n',
            11,
            'tags[1].lookup = "answrs": no stream of role "lookup" is called so. Nearest: "answers".',
        ),
        (
            '[stream.fields]\ngoal = { lookup = "first", key = "k", get = "t" }\n',
            9,
            'no stream of role "lookup" is called so. There is none.',
        ),
        (
            '[stream.fields]\nhuman_override = { by = "x" }\n',
            9,
            "human_override.decision: is required and missing",
        ),
    ],
)
def test_a_mistake_in_a_rule_names_its_line_and_the_nearest_key(
    tmp_path: Path, rules: str, line: int, words: str
) -> None:
    (tmp_path / "distill.toml").write_text(HEAD + rules)
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    fault = caught.value.fault
    assert words in fault.what_happened
    assert fault.line == line


def test_valid_rules_pass(tmp_path: Path) -> None:
    (tmp_path / "distill.toml").write_text(
        HEAD
        + 'where = ["ok"]\nparts.each = "attempts"\n[stream.fields]\ntask_id = { template = "{a}/{b}" }\n'
        + 'messages = "traj"\nsuccess_markers = "ok"\nvalidation.ran = "x"\n'
    )
    assert load_settings(tmp_path).settings.stream("s").fields["messages"] == "traj"


@pytest.mark.parametrize(
    ("location", "key"),
    [
        ((), "stream"),
        (("export", "sft"), "max_tokens"),
        (("stream", 0), "license"),
        (("stream", 0, "fields"), "human_override"),
        (("stream", 0, "fields", "reward"), "lookup"),
        (("stream", 0, "fields", "validation", "any name"), "path"),
        (("stream", 0, "fields", "verdict", "case", 0), "when"),
        (("stream", 0, "parts", "listed", 0, "fields"), "response"),
        (("stream", 0, "where", 0), "at_least"),
        (("stream", 0, "where", 0, "all", 0), "not"),
    ],
)
def test_the_keys_that_may_stand_at_a_place_are_known(location: tuple[str | int, ...], key: str) -> None:
    assert key in valid_keys(location)


_RULE_KEYS = st.sampled_from(
    [
        *valid_keys(("stream", 0, "fields", "reward")),
        *valid_keys(("stream", 0, "where", 0)),
        "fields",
        "",
        "x",
    ]
)
_TREES = st.recursive(
    st.booleans()
    | st.integers(-2, 2**70)
    | st.floats()
    | st.sampled_from(["a", "a[", "", "{b}", "(", "*", "iso"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_RULE_KEYS, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.sampled_from(["where", "parts", "fields", *(f"fields.{f}" for f in StreamFields.model_fields)]),
    tree=_TREES,
)
def test_no_rule_tree_brings_anything_but_a_settings_error(tmp_path: Path, place: str, tree: Any) -> None:
    (tmp_path / "distill.toml").write_text(f"{HEAD}{place} = {written(tree)}\n")
    with contextlib.suppress(SettingsError):
        load_settings(tmp_path)
