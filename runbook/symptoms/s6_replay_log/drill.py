"""S6.replay-log: replays were logged for weeks, and nobody rotated the log."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from pipeline.contracts.plurals import plural
from runbook.drills.drill import Drill, Planted, Scene
from runbook.symptoms.s6_replay_log import GROWN, ID, LOG, THRESHOLD_MB
from runbook.symptoms.s6_replay_log.diagnose import ROTATE

_MEGABYTE = 1_000_000


def plant(scene: Scene) -> Planted:
    """One real replay, then the rows that weeks of them would have left, past the threshold."""
    scene.engine("replay", "--task", "Why does billing answer slowly after a deploy?", "--local-only")
    [row] = scene.rows(LOG)
    threshold = scene.workspace.facts().settings.number(THRESHOLD_MB)
    bytes_wanted = int(threshold * _MEGABYTE * scene.random.uniform(1.1, 1.6))
    days = scene.random.randint(9, 40)
    count = bytes_wanted // len(json.dumps(row, separators=(",", ":"))) + 2
    last = datetime.now(UTC)
    rows = []
    for number in range(count):
        when = last - timedelta(days=days) * (1 - number / count)
        replay_id = f"replay-{scene.random.getrandbits(64):016x}"
        rows.append(row | {"replay_id": replay_id, "recorded_at": when.strftime("%Y-%m-%dT%H:%M:%S.000Z")})
    scene.write_rows(LOG, rows)
    return Planted(
        says=f"{LOG} was filled with {plural(count, 'replay')} of {plural(days, 'day')}.",
        cause=GROWN,
        offer=ROTATE.id,
    )


DRILL = Drill(ID, "The replay log was never rotated", plant)
