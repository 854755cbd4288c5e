"""``distill watch``: the live detectors without a screen, for a service or for cron.

It calls ``[alert] command`` when a symptom shows, changes, still shows after a while, or has gone.
With ``--json`` each change is one JSON object a line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

from console.commands.status import read_whole_status
from console.live.runbook_watch import RunbookLook
from console.plain.status import exit_code
from console.watch.alert_book import Alert, AlertBook
from console.watch.alert_command import alert_command
from console.watch.loop import WatchLoop, cannot_judge, deliver
from pipeline.contracts.moments import iso_utc
from pipeline.contracts.untrusted import visible
from pipeline.platform.voice import ReaderGoneError, Voice

REMIND_SECONDS = 3600.0


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    root = voice.workspace
    command = alert_command(root)
    tell = _teller(root, voice)
    complain = _complainer(voice)
    if arguments.once:
        return _once(root, command, tell, complain)
    if not command:
        voice.note("no alert is sent: [alert] command is empty")
        tell = _while_heard(tell, voice)
    loop = WatchLoop(root, arguments.interval, AlertBook(arguments.remind), command, tell, complain)
    with asyncio.Runner() as runner:
        return runner.run(loop.run())


def _once(
    root: Path, command: tuple[str, ...], tell: Callable[[Alert], None], complain: Callable[[str], None]
) -> int:
    look = RunbookLook(root).run()
    status = read_whole_status(root, looks=[each.answer for each in look.symptoms])
    book, now = AlertBook(REMIND_SECONDS), status.read_at
    alerts = [
        *book.update(status.symptoms, now),
        *book.trouble("firewall", cannot_judge(status.firewall), now),
        *book.trouble("runbook", look.trouble[0] if look.trouble else None, now),
    ]

    async def all_of_them() -> None:
        for alert in alerts:
            tell(alert)
            if command and alert.wants_a_person:
                await deliver(command, alert, root, status.name, complain)

    with asyncio.Runner() as runner:  # the loop first: where none can be had, nothing is left unawaited
        runner.run(all_of_them())
    return exit_code(status, now)


def _teller(root: Path, voice: Voice) -> Callable[[Alert], None]:
    def tell(alert: Alert) -> None:
        if voice.json:
            voice.out_now(json.dumps({"type": "alert", **alert.to_dict(str(root), root.name)}))
            return
        said = f"{alert.id}: {alert.observed}"
        voice.out_now(visible(f"{iso_utc(alert.at)}  {alert.kind:<12}  {alert.severity:<8}  {said}"))

    return tell


def _while_heard(tell: Callable[[Alert], None], voice: Voice) -> Callable[[Alert], None]:
    """``tell``, until nobody reads it any more."""

    def heard(alert: Alert) -> None:
        tell(alert)
        if not voice.is_heard:
            raise ReaderGoneError

    return heard


def _complainer(voice: Voice) -> Callable[[str], None]:
    def complain(what: str) -> None:
        shown = visible(f"alert not delivered: {what}", 600)
        voice.note(shown)
        if voice.json:
            voice.out_now(json.dumps({"type": "alert-failed", "at": iso_utc(time.time()), "detail": shown}))

    return complain
