"""A canvas repaints what differs and nothing else; nothing invisible leaves the app."""

from __future__ import annotations

import pytest
from rich.segment import Segment  # noqa: TID253 (a widget is tested)
from textual.color import Color  # noqa: TID253
from textual.geometry import Region  # noqa: TID253

from console.presentation.spans import Span, line
from console.state.view_state import FirewallSeen, StatusRead
from console.tui.widgets.canvas import Canvas, Drawing
from console.tui.widgets.terminal_output import StripControls
from tests.console import states
from tests.console.apps import ASCII, LINK, StillApp, text_of


@pytest.fixture
def repaints(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Region, ...]]:
    seen: list[tuple[Region, ...]] = []
    monkeypatch.setattr(Canvas, "refresh", lambda self, *regions, **_: seen.append(regions))
    monkeypatch.setattr(Canvas, "drawing", Drawing({}))
    return seen


def test_one_changed_counter_repaints_its_cells_only(repaints: list[tuple[Region, ...]]) -> None:
    canvas = Canvas()
    canvas.show([line("title"), line("rows 12,703")])
    canvas.show([line("title"), line("rows 12,709")])
    assert repaints[-1] == (Region(10, 1, 1, 1),)


def test_the_same_lines_repaint_nothing(repaints: list[tuple[Region, ...]]) -> None:
    canvas = Canvas()
    canvas.show([line("title")])
    canvas.show([line("title")])
    assert len(repaints) == 1


def test_another_role_is_a_change(repaints: list[tuple[Region, ...]]) -> None:
    canvas = Canvas()
    canvas.show([line("CLEAR")])
    canvas.show([line(Span("CLEAR", "dim"))])
    assert repaints[-1] == (Region(0, 0, 5, 1),)


def test_lines_that_went_are_repainted_too(repaints: list[tuple[Region, ...]]) -> None:
    canvas = Canvas()
    canvas.show([line("one"), line("two")])
    canvas.show([line("one")])
    assert repaints[-1] == (Region(0, 1, 3, 1),)


async def test_a_terminal_without_our_characters_sees_ascii_alone() -> None:
    app = StillApp(states.breach(), ASCII)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert text_of(app).isascii()
        assert "X BREACH" in text_of(app)


async def test_another_app_changes_nothing_for_the_one_that_is_drawn() -> None:
    app = StillApp(states.breach(), ASCII)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        other = StillApp(states.breach(), LINK)
        assert other.drawing != app.drawing
        app.screen.query_one("#header", Canvas).show([line("a › b · …")])
        await pilot.press("z")
        assert text_of(app).isascii()


@pytest.mark.parametrize(
    "hostile", ["\x1b]52;c;eA==\x07", "\x1b[2J", "\x9b31m", "\u202etxt", "\u200b", "\u2066", "\x00"]
)
def test_the_last_filter_deletes_what_a_terminal_obeys(hostile: str) -> None:
    (segment,) = StripControls().apply([Segment(f"a{hostile}b")], Color(0, 0, 0))
    assert segment.text.startswith("a")
    assert segment.text.endswith("b")
    assert not any(character in segment.text for character in "\x1b\x9b\u202e\u200b\u2066\x00\x07")


def test_the_last_filter_leaves_clean_text_and_control_segments_alone() -> None:
    segments = [Segment("漢 é ▇"), Segment("\x1b[H", None, [(1,)])]  # type: ignore[list-item]
    assert StripControls().apply(segments, Color(0, 0, 0)) is segments


async def test_an_idle_second_repaints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is read and the watcher speaks every second; as long as nothing differs, 0 bytes."""
    app = StillApp(states.healthy(), LINK)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        repainted: list[tuple[Region, ...]] = []
        monkeypatch.setattr(Canvas, "refresh", lambda self, *regions, **_: repainted.append(regions))
        for second in (1.0, 2.0, 3.0):
            now = states.NOW + second
            monkeypatch.setattr(app, "now", lambda now=now: now)
            app.take(StatusRead(states.status(read_at=now)))
            app.take(FirewallSeen(states.clear(now)))
            app.draw()
    assert repainted == []
