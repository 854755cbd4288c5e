"""Every screen in every state at three sizes, as text; a difference is read before it is accepted.

After a wanted change: pytest tests/console/screens/test_pictures.py --snapshot-update
"""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

import pytest

from tests.console.screens.pictures import LISTS, ON_NO_WALK, SIZES, WALKS, Pictures, all_pictures

GOLDEN = Path(__file__).with_name("__pictures__")
WITH_LISTS = [name for name, stops in WALKS.items() if set(stops) >= set(LISTS)]
SCREENS = sorted({stop.picture for walk in WALKS.values() for stop in walk} | set(ON_NO_WALK))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    return all_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.mark.parametrize("screen", SCREENS)
def test_each_state_of_a_screen_looks_as_before(
    pictures: Pictures, screen: str, request: pytest.FixtureRequest
) -> None:
    golden, text = GOLDEN / f"{screen}.txt", "\n".join(pictures[screen])
    if request.config.option.update_snapshots:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    before = golden.read_text(encoding="utf-8")
    differs = list(unified_diff(before.splitlines(), text.splitlines(), "before", "now", n=2, lineterm=""))
    assert not differs, "\n".join(differs[:80])


def test_every_picture_that_is_kept_is_still_taken(pictures: Pictures) -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(SCREENS) == set(pictures)


@pytest.mark.parametrize("screen", [stop.picture for stop in LISTS])
def test_a_list_is_there_in_every_state_and_size(pictures: Pictures, screen: str) -> None:
    titles = {text.splitlines()[0] for text in pictures[screen]}
    assert {f"=== {name} · {size[0]}x{size[1]}" for name in WITH_LISTS for size in SIZES} <= titles


def test_nothing_is_green_where_nothing_can_be_read(pictures: Pictures) -> None:
    texts = [text for screen in pictures.values() for text in screen]
    blind = [text for text in texts if text.startswith(("=== removed", "=== denied"))]
    assert len(blind) == 2 * len(LISTS) * len(SIZES)
    for text in blind:
        assert "UNKNOWN" in text or "? unknown" in text
        assert "RELEASABLE" not in text
        assert "  pass " not in text


def test_the_ascii_pictures_are_ascii(pictures: Pictures) -> None:
    for text in pictures["in_ascii"]:
        assert "".join(text.splitlines()[1:]).isascii()
