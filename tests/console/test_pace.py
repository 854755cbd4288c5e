"""How often the screen is drawn while a run talks: ever as often, however long it talks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.state.view_state import Noted
from tests.console.apps import StillApp
from tests.console.states import running

if TYPE_CHECKING:
    from textual.timer import Timer


class _Counted(StillApp):
    """Knows the flushes that were made due; none comes by itself while it is looked at."""

    def __init__(self) -> None:
        super().__init__(running())
        self._is_listening = True
        self.due: list[Timer] = []

    def set_timer(self, delay: float, callback: Any = None, **options: Any) -> Timer:
        if callback != self.flush:
            return super().set_timer(delay, callback, **options)
        timer = super().set_timer(3600, callback, **options)
        stop = timer.stop

        def stopped() -> None:
            self.due.remove(timer)
            stop()

        timer.stop = stopped  # type: ignore[method-assign]
        self.due.append(timer)
        return timer


async def test_a_tick_between_two_facts_adds_no_flush() -> None:
    app = _Counted()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        app.flush()
        for number in range(5):
            app.take(Noted("info", f"chunk {number}"))
            app.take(Noted("info", f"chunk {number} again"))
            assert len(app.due) == 1
            app.flush()  # as the tick of each second does
            assert app.due == []
