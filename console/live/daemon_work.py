"""Long work in a thread that holds up nobody: not the screen, and not the exit.

The usual pool's threads are waited for when the interpreter ends. A probe of five minutes would
keep a console from quitting for as long, and quitting is promised to cost nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def in_thread(work: Callable[[], Result]) -> Result:
    """The result of ``work``; what it raises is raised here. It goes on when nobody waits any more."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # None only beside an error

    def run() -> None:
        result, failed = None, None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 (handed on to whoever waits)
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop may be over by then
            loop.call_soon_threadsafe(settle, result, failed)

    threading.Thread(target=run, name="wizard", daemon=True).start()
    return await answer
