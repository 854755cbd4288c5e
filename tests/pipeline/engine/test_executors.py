"""Workers may die, and their errors arrive as what they were."""

from __future__ import annotations

import os
import pickle
import signal
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from pipeline.contracts.faults import ExitCode, Fault, InputError, OperatorError, SettingsError
from pipeline.engine.executors import InlineExecutor, for_outputs, open_executor
from pipeline.engine.run_session import RefusedRunError
from pipeline.engine.work_context import ContextName
from tests.architecture.fresh_interpreter import run_python
from tests.pipeline.engine.workspaces import engine, make_workspace, output_bytes, run_all

FAULT = Fault("code", "what", "safe", "next", file="f", line=3, value="v")

RUN = ContextName("/nowhere", "", "")


def _raise_fault() -> None:
    raise InputError(FAULT)


def _pid_and_parent() -> tuple[int, int]:
    return os.getpid(), os.getppid()


def _die() -> None:
    os._exit(1)


def _signal_actions() -> tuple[bool, bool]:
    return (
        signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
        signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
    )


def _nothing() -> None:
    return


def test_every_error_travels_between_processes_whole() -> None:
    classes = [cls for cls in OperatorError.__subclasses__() if cls is not RefusedRunError]
    assert len(classes) >= 6
    for cls in classes:
        again = pickle.loads(pickle.dumps(cls(FAULT)))  # noqa: S301 - made two calls earlier
        assert (type(again), again.fault, str(again)) == (cls, FAULT, "what")
    refused = pickle.loads(pickle.dumps(RefusedRunError(FAULT, ExitCode.FIREWALL_BREACH)))  # noqa: S301
    assert refused.exit_code == ExitCode.FIREWALL_BREACH


def test_a_workers_fault_is_raised_in_the_parent() -> None:
    with open_executor("processes", 2, _nothing, RUN) as executor:
        with pytest.raises(InputError) as caught:
            executor.submit(_raise_fault).result()
        assert caught.value.fault == FAULT


def test_two_workers_are_children_and_one_is_this_process() -> None:
    with open_executor("processes", 2, _nothing, RUN) as executor:
        pid, parent = executor.submit(_pid_and_parent).result()
        assert parent == os.getpid() != pid
    with open_executor("processes", 1, _nothing, RUN) as executor:
        assert isinstance(executor, InlineExecutor)
        assert executor.submit(_pid_and_parent).result()[0] == os.getpid()


def test_workers_leave_the_terminals_interrupt_to_the_parent() -> None:
    with open_executor("processes", 2, _nothing, RUN) as executor:
        assert executor.submit(_signal_actions).result() == (True, True)


def test_a_dead_worker_breaks_the_pool_and_the_block_still_ends() -> None:
    with open_executor("processes", 2, _nothing, RUN) as executor, pytest.raises(BrokenExecutor):
        executor.submit(_die).result()


def test_an_unknown_executor_is_a_settings_error() -> None:
    with (
        pytest.raises(SettingsError, match="'threads' is not known"),
        open_executor("threads", 2, _nothing, RUN),
    ):
        raise AssertionError("the block must not be entered")


@pytest.mark.parametrize("point", ["chunk-rows-written", "chunk-index-written:2"])
def test_a_run_whose_worker_dies_says_so_and_the_next_one_resumes(tmp_path: Path, point: str) -> None:
    straight = make_workspace(tmp_path / "straight")
    expected = run_all(straight)
    workspace = make_workspace(tmp_path / "w")
    died = engine(
        workspace,
        *("run-all", "--workers", "2", "--chunk-bytes", "2KiB"),
        env={"DISTILL_CRASH_AT": point},
    )
    assert died.returncode == 3
    assert "A worker process died" in died.stderr
    assert len(died.stderr.splitlines()) == 3
    assert output_bytes(workspace) == {}
    resumed = run_all(workspace, "--workers", "2")
    assert resumed["run_hash"] == expected["run_hash"]
    assert output_bytes(workspace) == output_bytes(straight)


def test_a_source_that_shrinks_under_a_worker_is_planned_once_more_and_named(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    script = (  # every source shrinks between its planning and its reading, to a line that is not whole
        "import os, sys\n"
        "from pipeline.engine import chunk_work\n"
        "whole = chunk_work.read_range\n"
        "def shrinking(descriptor, path, start, end):\n"
        "    os.truncate(path, 10)\n"
        "    return whole(descriptor, path, start, end)\n"
        "chunk_work.read_range = shrinking\n"
        "from pipeline.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    finished = run_python("-c", script, "run-all", "--workers", "2", "-C", str(workspace))
    assert finished.returncode == 0, finished.stderr
    for name in ("runs-a.jsonl", "runs-b.jsonl", "chats.jsonl"):
        assert f"data/_kb/{name}: none of its 1 line could be used (torn_tail 1)" in finished.stderr


def test_outputs_are_written_on_this_machine_whoever_maps() -> None:
    with open_executor("processes", 2, _nothing, RUN) as executor:
        assert for_outputs(executor, nullcontext) is executor
    assert isinstance(for_outputs(ThreadPoolExecutor(1), nullcontext), InlineExecutor)
