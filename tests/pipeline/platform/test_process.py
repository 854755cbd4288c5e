"""The one way to start a program: what it does, every wait for it has an end and says why."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from pipeline.platform.detached import start_detached
from pipeline.platform.process import Running, obeying, run
from pipeline.platform.process_end import Ended
from tests.waiting import GROWING_LIMITS, LIMIT_SECONDS, is_alive, wait_until


def python(code: str, *, limit_seconds: float = LIMIT_SECONDS, **options: object) -> Ended:
    return run(argv_of(code), limit_seconds=limit_seconds, **options)  # type: ignore[arg-type]  # options of run


def argv_of(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", textwrap.dedent(code)]


def pid_in(path: Path) -> int:
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"), f"{path.name} with a process id")
    return int(path.read_text())


def sleeper(file: Path) -> str:
    """A program that writes its process id into ``file`` and then says nothing more."""
    return f"import os, time; open({str(file)!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(600)"


def test_an_answer_is_what_it_wrote_and_how_it_ended() -> None:
    ended = python("import sys; print('out'); print('why\\x1b', file=sys.stderr); sys.exit(7)")

    assert (ended.exit_code, ended.stdout, ended.why) == (7, b"out\n", "")
    assert ended.last_words == "why\\x1b"
    assert 0 < ended.took_seconds < LIMIT_SECONDS
    assert 0 < ended.processor_seconds < LIMIT_SECONDS


def test_a_killed_program_ends_with_its_signal() -> None:
    assert python("import os; os.kill(os.getpid(), 9)").exit_code == -signal.SIGKILL


def test_what_cannot_be_started_has_no_answer(tmp_path: Path) -> None:
    for argv, cwd in (
        (["/nowhere/at-all"], None),
        ([str(tmp_path)], None),
        (["with\0nul"], None),
        ([sys.executable], tmp_path / "gone"),
    ):
        ended = run(argv, limit_seconds=LIMIT_SECONDS, cwd=cwd)

        assert ended.exit_code is None
        assert "could not be started" in ended.why
        assert not ended.has_no_say, "that it cannot be started is a fact about the program"


@pytest.mark.parametrize(
    ("code", "has_no_say"),
    [
        ("import sys; sys.exit(1)", False),
        ("raise ValueError('a bug of its own')", False),
        ("import os; os.kill(os.getpid(), 11)", False),
        ("import os; os.kill(os.getpid(), 9)", True),
        ("import time; time.sleep(600)", True),
        ("raise OSError(24, 'Too many open files')", True),
        ("bytearray(1 << 62)", True),
        ("print('Too many open files')", False),
    ],
)
def test_what_was_killed_starved_or_out_of_time_says_nothing_about_the_program(
    code: str, has_no_say: bool
) -> None:
    assert python(code, limit_seconds=2.0 if "sleep" in code else LIMIT_SECONDS).has_no_say is has_no_say


def test_no_descriptor_left_is_an_answer_that_did_not_come() -> None:
    code = """
        import os, resource
        from pipeline.platform.process import run
        resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
        taken = []
        try:
            while True:
                taken.append(os.dup(0))
        except OSError:
            pass
        starved = run(["/bin/true"], limit_seconds=60)
        print(starved.why, starved.has_no_say)
        for _ in range(8):  # the pipes of Popen, and no more
            os.close(taken.pop())
        print(run(["/bin/true"], limit_seconds=60).exit_code)
    """
    done = run([sys.executable, "-c", textwrap.dedent(code)], limit_seconds=LIMIT_SECONDS)

    assert done.stdout.decode().splitlines() == [
        "/bin/true could not be started: Too many open files True",
        "0",
    ], done.stderr


def test_silence_ends_at_the_limit_and_its_last_words_are_kept() -> None:
    says = "import sys, time; print('so far', file=sys.stderr); print('half', flush=True); time.sleep(600)"
    ended = Ended(None)
    limits = iter(GROWING_LIMITS)
    while not ended.stdout:
        ended = python(says, limit_seconds=(limit := next(limits)))
        assert ended.exit_code is None
        assert ended.why == f"no end within {limit:g} s"

    assert ended.stdout == b"half\n"
    assert ended.last_words == "so far"


def test_more_output_than_is_kept_is_no_answer() -> None:
    ended = python("while True: print('x' * 1000)", keep_bytes=10_000)

    assert ended.exit_code is None
    assert ended.why == "more than 10,000 bytes of output"
    assert len(ended.stdout) == 10_000


def test_of_a_long_narration_the_end_is_kept() -> None:
    ended = python(
        "import sys\nfor n in range(100_000): print(n, file=sys.stderr)\nprint('done')", keep_bytes=5000
    )

    assert (ended.exit_code, ended.stdout) == (0, b"done\n")
    assert len(ended.stderr) == 5000
    assert ended.last_words == "99999"


def test_much_input_and_much_output_do_not_wait_for_each_other() -> None:
    data = b"0123456789abcdef" * (1 << 16)
    ended = python(
        "import sys\nwhile piece := sys.stdin.buffer.read(100): sys.stdout.buffer.write(piece)",
        stdin=data,
        keep_bytes=len(data),
    )

    assert ended.exit_code == 0
    assert ended.stdout == data


def test_input_that_nobody_reads_is_no_error() -> None:
    assert python("import os; os.close(0)", stdin=b"x" * (1 << 20)).exit_code == 0


def test_a_grandchild_that_keeps_the_pipes_open_is_not_waited_for(tmp_path: Path) -> None:
    ended = python(
        f"""
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open({str(tmp_path / "pid")!r}, "w").write(f"{{child.pid}}\\n")
        print("ended well")
        """
    )
    grandchild = pid_in(tmp_path / "pid")
    try:
        assert (ended.exit_code, ended.stdout, ended.why) == (0, b"ended well\n", "")
        assert is_alive(grandchild)
    finally:
        os.kill(grandchild, signal.SIGKILL)


def test_the_limit_ends_grandchildren_too(tmp_path: Path) -> None:
    code = f"""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open({str(tmp_path / "pid")!r}, "w").write(f"{{child.pid}}\\n")
        time.sleep(600)
    """
    for limit in GROWING_LIMITS:
        assert python(code, limit_seconds=limit).exit_code is None
        if (tmp_path / "pid").exists():
            break

    wait_until(lambda: not is_alive(pid_in(tmp_path / "pid")), "the grandchild's end")


def asked_to_end(folder: Path, then: str, **how: float) -> Running:
    """A program that notes that it is asked to end, and ``then`` does that; its process id is known."""
    code = f"""
        import os, signal, sys, time
        def asked(*_):
            open({str(folder / "asked")!r}, "w").close()
            {then}
        signal.signal(signal.SIGTERM, asked)
        open({str(folder / "pid")!r}, "w").write(f"{{os.getpid()}}\\n")
        while True: time.sleep(600)
    """
    running = Running(argv_of(code), limit_seconds=LIMIT_SECONDS, **how)  # type: ignore[arg-type]
    pid_in(folder / "pid")
    return running


def test_a_program_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    asked_to_end(tmp_path, "pass").end()

    assert (tmp_path / "asked").exists()
    assert not is_alive(pid_in(tmp_path / "pid"))


def test_a_program_that_is_stopped_hears_the_request(tmp_path: Path) -> None:
    running = asked_to_end(tmp_path, "sys.exit(0)", grace_seconds=LIMIT_SECONDS)
    os.kill(pid_in(tmp_path / "pid"), signal.SIGSTOP)
    running.end()

    assert (tmp_path / "asked").exists(), "it was not killed while it could not hear"


def test_a_program_that_needs_a_moment_to_leave_gets_it(tmp_path: Path) -> None:
    left = tmp_path / "left"
    then = f"time.sleep(1.0); open({str(left)!r}, 'w').close(); sys.exit(0)"
    asked_to_end(tmp_path, then, grace_seconds=LIMIT_SECONDS).end()

    assert left.exists()


def test_a_check_that_raises_ends_the_program(tmp_path: Path) -> None:
    class NotWantedError(Exception):
        pass

    def no_more() -> None:
        if (tmp_path / "pid").exists():
            raise NotWantedError

    code = f"""
        import os, time
        open({str(tmp_path / "pid")!r}, "w").write(f"{{os.getpid()}}\\n")
        time.sleep(600)
    """
    with pytest.raises(NotWantedError):
        python(code, check=no_more)
    assert not is_alive(pid_in(tmp_path / "pid"))
    (tmp_path / "pid").unlink()

    with pytest.raises(NotWantedError), obeying(no_more):
        python(code)
    assert not is_alive(pid_in(tmp_path / "pid"))
    assert python("print(1)", check=lambda: None).stdout == b"1\n"


def test_a_check_reaches_a_wait_in_another_thread(tmp_path: Path) -> None:
    class NotWantedError(Exception):
        pass

    stop = threading.Event()
    raised: list[BaseException] = []

    def check() -> None:
        if stop.is_set():
            raise NotWantedError

    def wait() -> None:
        try:
            python("import time; time.sleep(600)")
        except NotWantedError as error:
            raised.append(error)

    with obeying(check):
        thread = threading.Thread(target=wait)
        thread.start()
        stop.set()
        thread.join(LIMIT_SECONDS)
    assert raised


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_waiting_parent_ends_both(tmp_path: Path, number: signal.Signals) -> None:
    child = sleeper(tmp_path / "pid")
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(
                f"""
                import signal, sys
                from pipeline.platform.process import run
                signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
                try:
                    run([sys.executable, "-I", "-c", {child!r}], limit_seconds=600)
                except KeyboardInterrupt:
                    sys.exit(130)
                """
            ),
        ]
    )
    try:
        pid = pid_in(tmp_path / "pid")
        parent.send_signal(number)
        assert parent.wait(LIMIT_SECONDS) == 128 + number
        wait_until(lambda: not is_alive(pid), "the child's end")
    finally:
        parent.kill()
        parent.wait()


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    code = f"""
        import sys
        from pipeline.platform.process import run
        run([sys.executable, "-I", "-c", {sleeper(tmp_path / "pid")!r}], limit_seconds=600)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)]) as parent:
        pid = pid_in(tmp_path / "pid")
        parent.kill()
    wait_until(lambda: not is_alive(pid), "the child's end")


def test_a_child_has_no_descriptor_of_ours_and_a_session_of_its_own(tmp_path: Path) -> None:
    held = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    try:
        ended = python(
            """
            import os
            print(sorted(map(int, os.listdir("/proc/self/fd")))[:-1], os.getsid(0) == os.getpid())
            """
        )
    finally:
        os.close(held)

    assert ended.stdout == b"[0, 1, 2] True\n"


def test_a_child_has_the_priority_and_the_mask_that_were_asked_for() -> None:
    before = os.nice(0)
    ended = python("import os; print(os.nice(0), os.umask(0))", nice=3, umask=0o027)

    assert ended.stdout.decode().split() == [str(min(19, before + 3)), str(0o027)]


def test_what_is_detached_goes_on_without_us(tmp_path: Path) -> None:
    code = f"""
        import os
        from pathlib import Path
        from pipeline.platform.detached import start_detached
        log = os.open({str(tmp_path / "log")!r}, os.O_WRONLY | os.O_CREAT)
        started = start_detached(["/bin/sh", "-c", "echo $$; exec sleep 600"], output=log)
    """
    assert run([sys.executable, "-c", textwrap.dedent(code)], limit_seconds=LIMIT_SECONDS).exit_code == 0
    pid = pid_in(tmp_path / "log")
    try:
        assert is_alive(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("is_asked", [True, False])
def test_the_words_of_a_detached_program_keep_no_pipe_open(is_asked: bool) -> None:
    """A console starts a worker for each repair, for weeks."""
    gc.collect()  # what earlier tests left is not this one's
    before = sorted(os.listdir("/dev/fd"))  # noqa: PTH208 - names are enough
    code = "import os, sys; os.write(int(sys.argv[-1]), b'the disk is full')"
    started = start_detached(argv_of(code), output=2, with_words=True)
    assert started.wait(LIMIT_SECONDS) == 0
    if is_asked:
        assert started.said() == started.said() == "the disk is full"
    del started
    gc.collect()
    assert sorted(os.listdir("/dev/fd")) == before  # noqa: PTH208 - names alone


def test_the_end_of_a_detached_program_is_told_and_waiting_for_it_has_a_limit(tmp_path: Path) -> None:
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    try:
        started = start_detached(argv_of("import time; time.sleep(600)"), output=log)
    finally:
        os.close(log)
    assert started.poll() is None
    assert started.wait(0.05) is None
    os.kill(started.pid, signal.SIGTERM)
    assert started.wait(LIMIT_SECONDS) == -signal.SIGTERM
