"""The conditions under which the pipeline runs; none of them may show in a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True)
class Variant:
    """One way to run. ``crash_at`` is a commit point at which the run is killed, then resumed."""

    name: str
    workers: int
    chunk_bytes: int
    hash_seed: str
    zone: str
    locale: str
    umask: int
    crash_at: str | None = None

    def environment(self) -> dict[str, str]:
        return {"PYTHONHASHSEED": self.hash_seed, "TZ": self.zone, "LC_ALL": self.locale}


# Zones are spelled as POSIX rules: they need no zone database. A locale that is not installed is
# as good as another one, because then the program falls back by itself.
_STRAIGHT = Variant("straight", 1, 2 << 20, "0", "UTC0", "C", 0o022)
_OTHERS = (
    Variant("divided", 2, 128 << 10, "1", "XXX-14", "C.UTF-8", 0o077),
    Variant("killed-while-mapping", 2, 1 << 20, "4242", "XXX+12", "POSIX", 0o027, "chunk-index-written"),
    Variant(
        "killed-in-commit", 3, 512 << 10, "random", "XXX-05:45", "tr_TR.UTF-8", 0o002, "output-renamed:2"
    ),
    Variant(
        "killed-before-commit", 1, 256 << 10, "7", "XXX+03:30", "en_US.UTF-8", 0o022, "all-chunks-mapped"
    ),
)


def variants(runs: int) -> list[Variant]:
    """``runs`` ways to run, the plain one first. Later rounds repeat the others on other chunks."""
    return [variant for variant, _ in zip(_endless(), range(runs), strict=False)]


def _endless() -> Iterator[Variant]:
    yield _STRAIGHT
    for number in count(1):
        for other in _OTHERS:
            if number == 1:
                yield other
            else:
                yield Variant(
                    f"{other.name}-{number}",
                    other.workers + number - 1,
                    other.chunk_bytes // number,
                    str(number) if other.hash_seed != "random" else "random",
                    other.zone,
                    other.locale,
                    other.umask,
                    other.crash_at,
                )
