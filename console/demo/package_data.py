"""Where the demo's material lies: beside the code in a wheel, in ``fixtures/`` in a checkout."""

from __future__ import annotations

from pathlib import Path

import pipeline

SHIPPED_STREAMS = Path("settings/real-logs.toml")


def fixtures() -> Path:
    """The directory with ``streams/`` and ``settings/``. Raises FileNotFoundError."""
    here = Path(__file__).resolve().parent
    for candidate in (here / "fixtures", here.parents[1] / "fixtures"):
        if (candidate / SHIPPED_STREAMS).is_file() and (candidate / "streams").is_dir():
            return candidate
    raise FileNotFoundError(f"the demo's fixtures are neither in {here} nor in {here.parents[1]}")


def engine_package() -> Path:
    """The directory of the installed engine's source."""
    return Path(pipeline.__path__[0]).resolve()
