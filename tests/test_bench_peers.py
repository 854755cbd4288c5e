"""The peers' benchmark compares only programs that did the same job."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from console.demo import generated_log
from tests.benchmarks import peers
from tests.benchmarks.peer_jobs import PEERS


def test_programs_that_kept_different_rows_are_not_compared() -> None:
    answers = {"datatrove": {"version": "1", "kept": 9}, "polars": {"version": "2", "kept": 8}}
    with pytest.raises(peers.DifferentJobError, match="'kept': 8"):
        peers.rows_kept(answers)
    answers["polars"]["kept"] = 9
    assert peers.rows_kept(answers) == 9


@pytest.mark.parametrize("peer", sorted(PEERS))
def test_a_peer_keeps_the_runs_with_full_marks(peer: str, tmp_path: Path) -> None:
    """Those that are installed; `make bench-peers` installs and compares all."""
    if importlib.util.find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed")
    source = tmp_path / generated_log.FILE_NAME
    generated_log.generate(source, 60, bad_share=0)
    out = tmp_path / "out"
    out.mkdir()
    assert PEERS[peer](source, out) == source.read_bytes().count(b'"outcome":{"score":1.0,')
