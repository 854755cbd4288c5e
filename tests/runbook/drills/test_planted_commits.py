"""What a drill says that somebody committed is committed, in their name, before anything is run with it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from pipeline.platform.git import Person
from runbook.drills.drill import PEOPLE, TOMAS, Planted, Scene
from runbook.symptoms.s1_p2_materialize.drill import BROKEN, plant_transform
from runbook.symptoms.s1_p6_acceptance import drill as acceptance
from runbook.symptoms.s3_divergence import drill as divergence

SEEDS = range(12)


class Told(Scene):
    """A scene that only notes what would be committed and run."""

    def commit(self, message: str, author: Person = TOMAS) -> str:
        NOTED.append((f"{author.name}: {message}", self.texts()))
        return "0" * 40

    def engine(self, *arguments: str, ends_with: int | None = 0) -> Any:
        NOTED.append((" ".join(arguments), self.texts()))

    def texts(self) -> str:
        return "".join(path.read_text() for path in sorted(self.root.rglob("*.py")))


NOTED: list[tuple[str, str]] = []


def planted(
    root: Path, plant: Callable[[Scene], Planted], sound: Iterable[tuple[str, str]], seed: int
) -> tuple[str, str]:
    NOTED.clear()
    for path, text in sound:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        with (root / path).open("a") as file:
            file.write(f"{text}\n")
    scene = Told(root, random.Random(seed))  # noqa: S311 - a drill, no secret
    was = scene.texts()
    return was, plant(scene).says


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("plant", "faults", "runs"),
    [
        (plant_transform, BROKEN, {"run-all"}),
        (divergence.plant, tuple(divergence.HIDDEN), set()),
        (acceptance.plant, acceptance.MOVED, {"run-all", None}),
    ],
)
def test_the_fault_is_committed_by_whom_the_drill_names_and_then_run(
    tmp_path: Path,
    plant: Callable[[Scene], Planted],
    faults: tuple[Any, ...],
    runs: set[str | None],
    seed: int,
) -> None:
    sound = dict.fromkeys((fault.path, fault.sound) for fault in faults)
    was, says = planted(tmp_path, plant, sound, seed)
    (committed, then), *rest = NOTED
    name, message = committed.split(": ", 1)
    assert says.startswith(f"{name} changed ")
    assert name in {person.name for person in PEOPLE}
    assert message in {fault.message for fault in faults}
    assert then != was, "it is broken when it is committed"
    assert [what for what, _ in rest] in [[each] if each else [] for each in (runs or {None})]
