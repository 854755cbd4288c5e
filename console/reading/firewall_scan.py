"""One look of the firewall for ``distill status``, within a time limit.

The scan runs as the installed firewall's own process. On a file too large for the limit the
last known verdict stands, with its age; it never reads CLEAR, because nothing was read.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import orjson

from pipeline.contracts.discovery import firewall_argv, firewall_environment
from pipeline.contracts.status import FirewallStatus, FirewallWord
from pipeline.contracts.untrusted import visible
from pipeline.reading.firewall_words import firewall_status

SCAN_SECONDS = 2.0


def scan_or_known(root: Path, known: FirewallStatus, limit_seconds: float = SCAN_SECONDS) -> FirewallStatus:
    """The firewall's verdict now, else ``known`` with the reason why there is no newer one."""
    if known.state is FirewallWord.ABSENT or limit_seconds <= 0:
        return known
    try:
        done = subprocess.run(
            firewall_argv(["-C", str(root), "--json"]),
            env=firewall_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _without_scan(known, f"a scan takes longer than {limit_seconds:g} s here: distill firewall")
    except OSError as error:
        return _without_scan(known, f"the firewall could not be started: {error.strerror}")
    try:
        said = orjson.loads(done.stdout)
    except orjson.JSONDecodeError:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        return _without_scan(known, f"the firewall said: {visible(words[-1], 200) if words else 'nothing'}")
    if not isinstance(said, dict):
        return _without_scan(known, "the firewall said something else than a report")
    return firewall_status(said, time.time())


def _without_scan(known: FirewallStatus, why: str) -> FirewallStatus:
    detail = f"{why}; last known: {known.detail}" if known.detail else why
    return replace(known, detail=detail)
