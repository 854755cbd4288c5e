"""What may make runs differ is found in the syntax tree, and what does not is left in peace."""

from __future__ import annotations

import pytest

from runbook.probes.nondeterminism import Kind, new_suspects, suspects

FOUND = {
    "import time\nx = time.time()": (Kind.CLOCK, "time.time()"),
    "from time import time_ns as now\nx = now()": (Kind.CLOCK, "now()"),
    "import datetime as dt\nx = dt.datetime.now(dt.UTC)": (Kind.CLOCK, "dt.datetime.now(dt.UTC)"),
    "from datetime import datetime\nx = field(default_factory=datetime.utcnow)": (
        Kind.CLOCK,
        "datetime.utcnow",
    ),
    "x = __import__('time').time() % 1": (Kind.CLOCK, "__import__('time').time()"),
    "from pipeline.engine.clock import now_iso\nx = now_iso()": (Kind.CLOCK, "now_iso()"),
    "import random\nrandom.shuffle(rows)": (Kind.RANDOM, "random.shuffle(rows)"),
    "from random import choice\nx = choice(rows)": (Kind.RANDOM, "choice(rows)"),
    "import os\nx = os.urandom(4)": (Kind.RANDOM, "os.urandom(4)"),
    "import uuid\nx = str(uuid.uuid4())": (Kind.UUID, "uuid.uuid4()"),
    "for x in {a, b}:\n    pass": (Kind.SET_ORDER, "{a, b}"),
    "names = set(rows)\nx = [each for each in names]": (Kind.SET_ORDER, "names"),
    "def f(tags: set[str]):\n    return ','.join(tags)": (Kind.SET_ORDER, "tags"),
    "x = [*(set(a) | b)]": (Kind.SET_ORDER, "set(a) | b"),
    "x = list(frozenset(rows))": (Kind.SET_ORDER, "frozenset(rows)"),
    "import os\nx = os.listdir(folder)": (Kind.LISTING_ORDER, "os.listdir(folder)"),
    "for path in folder.rglob('*'):\n    pass": (Kind.LISTING_ORDER, "folder.rglob('*')"),
    "x = hash(text) % 7": (Kind.HASH_SEED, "hash(text)"),
    "import os\nx = os.environ['TZ']": (Kind.MACHINE, "os.environ"),
    "import threading\nthreading.Thread(target=write).start()": (
        Kind.CONCURRENT_WRITERS,
        "threading.Thread(target=write)",
    ),
    "from concurrent.futures import as_completed\nfor x in as_completed(jobs):\n    pass": (
        Kind.CONCURRENT_WRITERS,
        "as_completed(jobs)",
    ),
}
HARMLESS = (
    "x = sorted({a, b})",
    "x = sorted(name for name in set(rows))",
    "x = len(set(rows))",
    "x = any(each in y for each in {a, b})",
    "x = {each.name for each in set(rows)}",
    "x = sorted(folder.iterdir())",
    "import os\nx = sorted(os.listdir(folder))",
    "import random\nx = random.Random(7)",
    "import time\ntime.sleep(1)",
    "x = clock.time()",
    "x = row.hash(text)",
    "for x in rows:\n    pass",
    "def broken(:",
)


@pytest.mark.parametrize("source", FOUND)
def test_a_suspect_is_found_whatever_it_is_called(source: str) -> None:
    kind, code = FOUND[source]
    assert [(each.kind, each.code) for each in suspects(source.encode(), "x.py")] == [(kind, code)]


@pytest.mark.parametrize("source", HARMLESS)
def test_what_cannot_show_in_a_row_is_not_suspected(source: str) -> None:
    assert suspects(source.encode(), "x.py") == []


def test_what_was_there_when_all_was_well_is_not_new_wherever_it_moved() -> None:
    before = b"import time\nstarted = time.time()\n"
    after = b"import time\n\n\nstarted = time.time()\nrow['at'] = time.time()\nrow['id'] = hash(row)\n"
    found = new_suspects(before, after, "x.py")
    assert [(each.line, each.kind) for each in found] == [(5, Kind.CLOCK), (6, Kind.HASH_SEED)]
    assert found[0].told == "x.py:5 clock: time.time()"
