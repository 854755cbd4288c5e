"""What all screens share: bindings made from the key map, and one door for every action."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.screen import Screen

from console import keymap
from console.tui.host import Host


def bindings_for(place: keymap.Place) -> list[BindingType]:
    """One Textual binding per action that works in ``place``, with a permanent id."""
    return [
        Binding(
            ",".join(action.keys),
            f"screen.act('{action.id}')",
            action.help,
            show=False,
            id=f"{place}.{action.id}",
            priority=False,
        )
        for action in keymap.at(place)
    ]


class ConsoleScreen(Screen[None]):
    """A full screen. Subclasses name their ``place`` and answer some actions themselves."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    place: ClassVar[keymap.Place]

    def __init_subclass__(cls, **options: Any) -> None:
        if "place" in cls.__dict__:
            cls.BINDINGS = bindings_for(cls.place)
        super().__init_subclass__(**options)

    @property
    def console(self) -> Host:
        return cast(Host, self.app)

    @property
    def is_current(self) -> bool:
        """Whether it is on top. Beneath another it is shown as it was last, and paints nothing.

        Textual takes the screen below the top one for current, too; once such a one is dirty it
        asks for the whole terminal to be painted again, over and over.
        """
        return bool(super().is_current and self.app.screen is self)

    def handlers(self) -> dict[str, Callable[[], None]]:
        """What this screen does itself, by action id; the rest goes to the app."""
        return {}

    def action_act(self, action_id: str) -> None:
        self.act(action_id)

    def act(self, action_id: str) -> None:
        """Perform an action of the key map, wherever it was chosen."""
        handler = self.handlers().get(action_id)
        if handler is not None:
            handler()
        else:
            self.console.act(action_id)

    def hint_words(self, hints: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """The hints, ``arm`` as what its key does now."""
        armed = self.console.armed.is_armed
        return tuple((key, "disarm" if armed and word == "arm" else word) for key, word in hints)

    def show_hints(self, hints: Iterable[tuple[str, str]]) -> None:
        """Put these keys on the key line, while a dialogue on top takes all keys."""

    def draw(self) -> None:
        """Bring the screen to the app's state. Called on each flush while it is on top."""

    def text_to_copy(self) -> str | None:
        """What ``y`` copies here; None when nothing is marked."""
        return None

    def command_to_copy(self) -> str | None:
        """What ``c`` copies here; None leaves it to the app."""
        return None
