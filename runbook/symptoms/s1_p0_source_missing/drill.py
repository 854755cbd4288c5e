"""S1.P0.source-missing: a stream's only file is renamed, moved, or its path mistyped."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.contracts import paths
from runbook.drills.drill import Drill, Planted, Scene
from runbook.symptoms.s1_p0_source_missing import ID, MOVED, ROTATED, WRONG_PATH

CHATS = "data/_kb/chats.jsonl"
_NAMES = ("data/_kb/dialogues.jsonl", "data/_kb/node-watch.jsonl", "data/inbox/talks.jsonl")
_ARCHIVES = ("data/_kb/archive/chats.jsonl.1", "data/old/chats.2026-03-27.jsonl", "data/old/chats.jsonl.old")
_MISTYPED = ("data/kb/chats*.jsonl", "data/_kb/chat-*.jsonl", "data/_kb/chats*.json")


def plant(scene: Scene) -> Planted:
    return scene.random.choice(WAYS)(scene)


def _renamed(scene: Scene) -> Planted:
    new = scene.random.choice(_NAMES)
    _move(scene, new)
    return _planted(f"{CHATS} is {new} now.", MOVED, "move-back")


def _rotated(scene: Scene) -> Planted:
    new = scene.random.choice(_ARCHIVES)
    _move(scene, new)
    if scene.random.random() < 0.5:
        (scene.root / CHATS).touch()
    return _planted(f"{CHATS} was rotated to {new}.", ROTATED, "point")


def _mistyped(scene: Scene) -> Planted:
    glob = scene.random.choice(_MISTYPED)
    scene.edit(str(paths.SETTINGS), '"data/_kb/chats*.jsonl"', f'"{glob}"')
    author = scene.anybody()
    scene.commit("streams: read chats where they are", author=author)
    return _planted(f"{author.name} let stream chats read {glob}.", WRONG_PATH, "point")


def _move(scene: Scene, new: str) -> None:
    (scene.root / new).parent.mkdir(parents=True, exist_ok=True)
    (scene.root / CHATS).rename(scene.root / new)


def _planted(says: str, cause: str, offer: str) -> Planted:
    return Planted(says=says, cause=cause, offer=offer)


WAYS: tuple[Callable[[Scene], Planted], ...] = (_renamed, _rotated, _mistyped)
DRILL = Drill(ID, "A stream's file is not where its path says", plant)
