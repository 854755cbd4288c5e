"""What passed already with these very bytes: kept in a folder that git ignores, never asked in CI.

The gate of a mutant depends on the engine, on what breaks it, on the interpreter and on what is
installed. While none of them changes it comes to the same end, four minutes of a processor later.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

from tests.mutants.broken_engine import PACKAGE

CACHE = Path(__file__).parents[2] / ".mutants_cache"


def has_passed(mutant_id: str) -> bool:
    return not os.environ.get("CI") and (CACHE / digest() / mutant_id).exists()


def keep(mutant_id: str) -> None:
    """Remember a pass; what older bytes came to is forgotten."""
    folder = CACHE / digest()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / mutant_id).touch()
    for other in CACHE.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


@cache
def digest() -> str:
    """Of every file that decides, each by its name and its bytes."""
    total = hashlib.sha256(sys.version.encode())
    for each in sorted(f"{found.name} {found.version}" for found in distributions()):
        total.update(each.encode())
    for folder in (PACKAGE, Path(__file__).parent):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                total.update(path.relative_to(folder).as_posix().encode())
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:32]
