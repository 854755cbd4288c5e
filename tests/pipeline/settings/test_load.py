"""Reading distill.toml: what is accepted, and what each mistake says."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts.faults import ExitCode, Fault, SettingsError, StorageError
from pipeline.platform.engine_choice import choose_engine
from pipeline.settings.load import MAX_SETTINGS_BYTES, load_settings

STREAM = """
[[stream]]
name = "airline"
path = "data/_kb/airline*.jsonl"
[stream.fields]
task_id = "task_id"
reward = { path = "reward" }
"""

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes distill.toml and returns the workspace."""

    def write_settings(text: str | bytes) -> Path:
        raw = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "distill.toml").write_bytes(raw)
        return tmp_path

    return write_settings


def fault_of(workspace: Path) -> Fault:
    before = sorted(path for path in workspace.rglob("*"))
    with pytest.raises(SettingsError) as caught:
        load_settings(workspace)
    assert sorted(path for path in workspace.rglob("*")) == before
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value.fault


def test_an_empty_file_is_all_defaults(write: Write) -> None:
    loaded = load_settings(write(""))
    assert loaded.settings.scoring.accept_at == 1.0
    assert loaded.settings.streams == ()
    assert set(loaded.origins.values()) == {"default"}


def test_values_are_read_and_remember_their_line(write: Write) -> None:
    loaded = load_settings(write('[engine]\nchunk_bytes = "64KiB"\n' + STREAM))
    assert loaded.settings.engine.chunk_bytes == 65536
    assert loaded.settings.stream("airline").path == ("data/_kb/airline*.jsonl",)
    assert loaded.origins["engine.chunk_bytes"] == "distill.toml:2"
    assert loaded.origins["stream[airline].fields.reward"] == "distill.toml:9"
    assert loaded.origins["stream[airline].tier"] == "default"


def test_a_byte_order_mark_is_not_an_error(write: Write) -> None:
    assert (
        load_settings(write(b"\xef\xbb\xbf[scoring]\npartial_at = 0.25\n")).settings.scoring.partial_at
        == 0.25
    )


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (
            "[scoring]\nacept_at = 1.0\n",
            2,
            'scoring.acept_at = 1.0: unknown key. Nearest valid key: "accept_at".',
        ),
        ("[scorin]\n", 1, 'scorin: unknown key. Nearest valid key: "scoring".'),
        ("\n[exports.sft]\nmax_tokens = 1\n", 2, 'Nearest valid key: "export".'),
        ("accept_at = 1.0\n", 1, '"accept_at" belongs elsewhere: scoring.accept_at.'),
        ("[alert]\nzzz = 1\n", 2, "Valid keys here: command."),
        ("[[streams]]\n", 1, 'streams: unknown key. Nearest valid key: "stream".'),
        ('[engine]\nworkers = "2"\n', 2, 'engine.workers = "2": must be a whole number.'),
        ("[engine]\nworkers = true\n", 2, "engine.workers = true: must be a whole number."),
        ("[engine]\nworkers = -1\n", 2, "must be at least 0"),
        ('[engine]\nsource = "elsewhere"\n', 2, 'must be one of "installed" or "workspace"'),
        ('[engine]\nchunk_bytes = "2 furlongs"\n', 2, "a size is a number of bytes"),
        ("[engine]\nchunk_bytes = 1\n", 2, "must be at least 1024"),
        ("[drift]\nwarn_pct = nan\n", 2, "drift.warn_pct = nan: must be a finite number."),
        ("[scoring]\n\npartial_at = 1.5\n", 3, "must be at most 1"),
        ("[scoring]\naccept_at = 0.5\npartial_at = 0.6\n", 1, "partial_at (0.6) is above accept_at (0.5)"),
        ("[export]\nvalidation_share = 1.0\n", 2, "must be less than 1"),
        ("engine = 3\n", 1, "engine = 3: must be a table."),
        ("stream = 3\n", 1, "must be a list"),
        ('[release]\ntests = "make test"\n', 2, "must be a list"),
        ("[release]\ntests = []\n", 2, "must not be an empty list"),
        ('[replay]\nbase_url = "http://me:pw@host/v1"\n', 2, "leave it out"),
        (
            '[replay]\nbase_url = "ftp://host/v1"\n',
            2,
            "must be an address that starts with http:// or https://",
        ),
        ('[workspace]\nlast_good_tag = "--exec=x"\n', 2, "cannot be the name of a tag or commit"),
        ('[phases]\nP1 = "a b"\n', 2, "cannot be the name of a tag or commit"),
        ('[phases]\nP1000 = "abc"\n', 2, "A phase is P0 to P8, or your own from P10"),
        (STREAM.replace('"airline"', '"Air line"'), 3, "must be lower-case letters"),
        (STREAM.replace('"airline"', '"../x"'), 3, "must be lower-case letters"),
        (STREAM.replace('"airline"', '"replay_runs.archive.1"'), 3, "journals"),
        (STREAM.replace('name = "airline"', ""), 2, "stream[0].name: is required and missing."),
        (STREAM + STREAM, 2, 'two streams are named "airline"'),
        (STREAM.replace("reward =", "reward = 1979-05-27\nx ="), 7, "a date cannot stand in a rule"),
        (STREAM + "deep = " + "[" * 40 + "]" * 40, 8, "nested deeper than 32 levels"),
        (STREAM + "big = 9223372036854775808", 8, "an integer past 64 bits"),
        *(
            (f"[export.{table}]\n{key} = {value}\n", 2, f"export.{table}.{key}: an integer past 64 bits.")
            for table, key in (
                ("sft", "max_rows"),
                ("rag", "max_tokens"),
                ("preference", "max_length_gap"),
                ("preference", "max_pairs_per_task"),
            )
            for value in (2**63, 10**30, "0x" + "f" * 5000)
        ),
        (
            STREAM + f"[export.sft.stream_caps]\nairline = {2**64}\n",
            9,
            "stream_caps.airline: an integer past",
        ),
        ("a." * 2000 + f"a = {2**63}\n", 1, "an integer past 64 bits."),
        (f"[drift]\nwarn_pct = {10**400}\n", 2, "drift.warn_pct: an integer past 64 bits."),
        *(
            (
                STREAM + f"[export.{table}.{limit}]\nairlin = 1\n",
                9,
                f'export.{table}.{limit}.airlin: no stream that is read is called so. Nearest: "airline".',
            )
            for table in ("rag", "sft", "preference")
            for limit in ("stream_caps", "partial_at")
        ),
        ("[export.sft]\nstream_caps = { x = 1 }\n", 2, "is called so. There is none."),
        (STREAM.replace("[stream.fields]", 'role = "lookup"\n[stream.fields]'), 2, "needs a key"),
        (
            STREAM.replace("[stream.fields]", 'role = "lookup"\nkey = "id"\n[stream.fields]'),
            2,
            "yields no evidence",
        ),
        (STREAM.replace("[stream.fields]", 'key = "id"\n[stream.fields]'), 2, 'role = "lookup"'),
        ('[[stream]]\nname = "a"\npath = "a.jsonl"\n', 1, "needs [stream.fields] or a preset"),
        (STREAM.replace("[stream.fields]", 'exports = ["sft", "sft"]\n[stream.fields]'), 5, "named twice"),
        (
            STREAM.replace("[stream.fields]", 'exports = ["dpo"]\n[stream.fields]'),
            5,
            '"rag", "sft" or "preference"',
        ),
    ],
)
def test_a_mistake_names_line_value_and_what_would_be_right(
    tmp_path: Path, write: Write, text: str, line: int, words: str
) -> None:
    fault = fault_of(write(text))
    assert words in fault.what_happened
    assert fault.line == line
    assert fault.what_happened.startswith(f"distill.toml:{line}: ")
    assert fault.file == str(tmp_path / "distill.toml")


def test_a_limit_may_name_a_stream_and_be_as_large_as_64_bits_are(write: Write) -> None:
    text = f"[export.sft]\nmax_rows = {2**63 - 1}\n[export.sft.stream_caps]\nairline = {2**63 - 1}\n"
    sft = load_settings(write(STREAM + text)).settings.export.sft
    assert (sft.max_rows, sft.stream_caps) == (2**63 - 1, {"airline": 2**63 - 1})


def test_further_mistakes_are_named_with_their_lines(write: Write) -> None:
    fault = fault_of(write("[scoring]\nx = 1\n[drift]\ny = 2\n"))
    assert fault.what_happened.endswith("(1 more: drift.y line 4.)")


@pytest.mark.parametrize(
    ("raw", "line", "words"),
    [
        (b"[scoring\n", 1, "is not valid TOML"),
        (b"a = 1\na = 2\n", 2, "Cannot overwrite a value"),
        (b"a = 1\nb = \n", 2, "is not valid TOML: Invalid value"),
        (b'a = "', 1, "is not valid TOML"),
        (b"a = 1\n# \xff\n", 2, "is not UTF-8: byte 0xff"),
        (b"a = " + b"[" * 20_000, None, "nested too deeply"),
        (b"a = " + b"9" * 5000, None, "is not valid TOML"),
        (b"#" * (MAX_SETTINGS_BYTES + 1), None, "is larger than"),
    ],
)
def test_a_file_that_is_no_toml_is_an_error_with_its_line(
    write: Write, raw: bytes, line: int | None, words: str
) -> None:
    fault = fault_of(write(raw))
    assert words in fault.what_happened
    assert fault.line == line


def test_what_is_no_readable_file_is_an_error(tmp_path: Path) -> None:
    place = tmp_path / "distill.toml"
    assert "is not there any more" in fault_of(tmp_path).what_happened
    place.mkdir()
    assert "is not a file" in fault_of(tmp_path).what_happened
    place.rmdir()
    os.mkfifo(place)
    assert "is not a file" in fault_of(tmp_path).what_happened
    place.unlink()
    # Readable by permission, yet every read of its first byte fails, for root as well.
    place.symlink_to("/proc/self/mem")
    with pytest.raises(StorageError, match="could not be read: Input/output error"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("/etc/passwd", "leaves the workspace and is in none of its source_roots"),
        ("../other/*.jsonl", "leaves the workspace and is in none of its source_roots"),
        ("data/../../x.jsonl", "leaves the workspace and is in none of its source_roots"),
        ("data/*/../../../x.jsonl", 'has ".." after a wildcard'),
        ("link/*.jsonl", "leaves the workspace through a link"),
        ("loop/x.jsonl", "leaves the workspace through a link"),
        ("data/evidence/*.jsonl", "which the pipeline writes itself"),
        ("exports/sft/*.jsonl", "which the pipeline writes itself"),
    ],
)
def test_a_path_that_leaves_the_workspace_is_an_error(write: Write, pattern: str, words: str) -> None:
    workspace = write(STREAM.replace("data/_kb/airline*.jsonl", pattern))
    (workspace / "link").symlink_to("/")
    (workspace / "loop").symlink_to("loop")
    fault = fault_of(workspace)
    assert words in fault.what_happened
    assert fault.line == 4


def test_the_wrong_one_of_several_paths_is_named_on_its_own_line(write: Write) -> None:
    text = STREAM.replace('"data/_kb/airline*.jsonl"', '[\n"data/a.jsonl",\n"/etc/b.jsonl",\n]')
    fault = fault_of(write(text))
    assert (fault.line, fault.value) == (6, '"/etc/b.jsonl"')


def test_a_source_root_makes_a_path_outside_readable(tmp_path: Path) -> None:
    workspace, logs = tmp_path / "workspace", tmp_path / "logs"
    workspace.mkdir()
    logs.mkdir()
    (workspace / "link").symlink_to(logs)
    for pattern in (f"{logs}/*.jsonl", "../logs/*.jsonl", "link/x.jsonl"):
        text = '[workspace]\nsource_roots = ["../logs"]\n' + STREAM.replace(
            "data/_kb/airline*.jsonl", pattern
        )
        (workspace / "distill.toml").write_text(text)
        assert load_settings(workspace).settings.stream("airline").path == (pattern,)


def test_a_source_root_around_the_workspace_is_an_error(write: Write) -> None:
    fault = fault_of(write('[workspace]\nsource_roots = ["/usr/share", "/"]\n'))
    assert "contains the workspace itself" in fault.what_happened
    assert fault.value == '"/"'


def test_source_roots_that_provenance_could_not_tell_apart_are_an_error(write: Write) -> None:
    fault = fault_of(write('[workspace]\nsource_roots = [\n"/a/logs",\n"/b/logs",\n]\n'))
    assert "has the same last name as another source root" in fault.what_happened
    assert (fault.line, fault.value) == (4, '"/b/logs"')


def test_mistakes_of_all_kinds_come_in_the_order_of_the_file(write: Write) -> None:
    fault = fault_of(write(STREAM.replace("data/_kb", "..") + 'goal = { pth = "x" }\n'))
    assert fault.line == 4
    assert fault.what_happened.endswith("(1 more: stream[0].fields.goal.pth line 8.)")


@pytest.mark.parametrize("raw", [b"a = " + b"[" * 20_000, b"a = " + b"9" * 5000, b"\xff", b"a ="])
def test_unusable_settings_choose_the_installed_engine_which_then_names_the_mistake(
    write: Write, raw: bytes
) -> None:
    assert choose_engine(write(raw)).source == "installed"


def test_hostile_text_in_a_value_is_harmless_when_printed(write: Write) -> None:
    fault = fault_of(write('[scoring]\n"\\u001b[31m\\u202e" = "\\u001b]0;x\\u0007"\n'))
    printed = "".join(fault.as_lines())
    assert not {"\x1b", "\u202e", "\x07"} & set(printed)


_LEGAL = (
    STREAM + '[scoring]\npartial_at = 0.5\n[workspace]\nsource_roots = ["/usr"]\n[phases]\nP1 = "abc"\n'
).encode()
_PIECES = st.sampled_from([bytes([code]) for code in b"[]{}=.,\"'/~\n\r\0\xff"]) | st.sampled_from(
    [
        b'"""',
        b"../",
        b"nan",
        b"1e999",
        b"1979-05-27",
        b"9" * 30,
        b"[[stream]]\n",
        b"\\u0000",
        b"name",
        b"path",
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """The legal file with a few stretches replaced."""
    raw = _LEGAL
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 12)))
        raw = raw[:start] + draw(_PIECES | st.binary(max_size=4)) + raw[end:]
    return raw


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=damaged() | st.binary(max_size=60))
def test_no_bytes_bring_anything_but_a_settings_error(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "distill.toml").write_bytes(raw)
    line = None
    try:
        load_settings(tmp_path)
    except SettingsError as error:
        line = error.fault.line
    assert line is None or 1 <= line <= raw.count(b"\n") + 1
