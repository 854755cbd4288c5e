"""No link leads a write out of the workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts.faults import StorageError
from pipeline.platform.confined import refuse_link, refuse_links


@pytest.mark.parametrize("link", ["a", "a/b", "a/b/file"])
def test_a_link_at_any_component_is_refused_and_named(tmp_path: Path, link: str) -> None:
    workspace, outside = tmp_path / "w", tmp_path / "outside"
    outside.mkdir()
    (workspace / link).parent.mkdir(parents=True)
    (workspace / link).symlink_to(outside)
    with pytest.raises(StorageError) as caught:
        refuse_links(workspace, ["other", "a/b/file"])
    assert caught.value.fault.code == "link_in_the_way"
    assert caught.value.fault.file == str(workspace / link)


def test_a_dangling_link_and_one_within_the_workspace_are_refused_as_well(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "inner").symlink_to(tmp_path / "there")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("inner", "dangling"):
        with pytest.raises(StorageError):
            refuse_links(tmp_path, [f"{name}/file"])
        with pytest.raises(StorageError):
            refuse_link(tmp_path / name)


def test_a_workspace_that_is_itself_reached_by_a_link_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real" / "a").mkdir(parents=True)
    (tmp_path / "w").symlink_to(tmp_path / "real")
    refuse_links(tmp_path / "w", ["a/b", "not/there/yet"])
    refuse_link(tmp_path / "w" / "a")


def test_control_characters_in_a_link_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("elsewhere/\x1b[2J")
    with pytest.raises(StorageError) as caught:
        refuse_links(tmp_path, ["a"])
    assert "\x1b" not in caught.value.fault.what_happened
