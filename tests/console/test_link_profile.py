from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from console.terminal.link_profile import Profile, choose_profile
from console.terminal.terminal_facts import TerminalFacts, gather

LOCAL = TerminalFacts(
    stdin_is_tty=True,
    stdout_is_tty=True,
    stderr_is_tty=True,
    term="xterm-256color",
    columns=120,
    lines=40,
    encoding="utf-8",
    locale_name="C.UTF-8",
    colours="truecolor",
    background="dark",
    no_color=False,
    ssh=False,
    mosh=False,
    tmux=False,
    screen=False,
)


@pytest.mark.parametrize(
    ("changes", "profile", "link", "why"),
    [
        ({}, Profile.RICH, "local", "24-bit colour"),
        ({"ssh": True}, Profile.LEAN, "ssh", "over ssh"),
        ({"ssh": True, "tmux": True}, Profile.LEAN, "ssh", "over ssh"),
        ({"ssh": True, "mosh": True}, Profile.LEAN, "mosh", "over mosh"),
        ({"tmux": True}, Profile.LEAN, "tmux", "inside tmux"),
        ({"screen": True}, Profile.LEAN, "screen", "inside screen"),
        ({"colours": "256"}, Profile.LEAN, "local", "256 colours"),
        ({"no_color": True}, Profile.LEAN, "local", "NO_COLOR"),
        ({"term": "dumb"}, Profile.PLAIN, "local", "TERM is dumb"),
        ({"term": ""}, Profile.PLAIN, "local", "TERM is not set"),
        ({"columns": 19}, Profile.PLAIN, "local", "below 20x5"),
        ({"lines": 4}, Profile.PLAIN, "local", "below 20x5"),
        ({"stdin_is_tty": False}, Profile.PLAIN, "none", "standard input is not a terminal"),
        ({"stderr_is_tty": False}, Profile.PLAIN, "none", "standard error is not a terminal"),
        ({"stdout_is_tty": False}, Profile.RICH, "local", "24-bit colour"),
        ({"columns": 20, "lines": 5}, Profile.RICH, "local", "24-bit colour"),
    ],
)
def test_each_fact_leads_to_its_profile_and_says_why(
    changes: dict[str, Any], profile: Profile, link: str, why: str
) -> None:
    chosen = choose_profile(replace(LOCAL, **changes))
    assert (chosen.profile, chosen.link) == (profile, link)
    assert why in chosen.reasons[0]
    assert chosen.mouse == chosen.animation == (profile is Profile.RICH)


def test_a_flag_beats_every_observation_but_the_missing_terminal() -> None:
    assert choose_profile(replace(LOCAL, ssh=True), wanted="rich").profile is Profile.RICH
    assert choose_profile(LOCAL, wanted="plain").reasons == ("asked for with --plain",)
    assert choose_profile(replace(LOCAL, stdin_is_tty=False), wanted="rich").profile is Profile.PLAIN


@pytest.mark.parametrize(
    ("encoding", "ascii_only"),
    [
        ("utf-8", False),
        ("UTF8", False),
        ("utf_8", False),
        ("latin-1", True),
        ("ANSI_X3.4-1968", True),
        ("", True),
    ],
)
def test_what_is_not_utf_8_is_drawn_in_ascii(encoding: str, ascii_only: bool) -> None:
    chosen = choose_profile(replace(LOCAL, encoding=encoding))
    assert chosen.ascii_only is ascii_only
    assert any("ASCII" in reason for reason in chosen.reasons) is ascii_only


def test_no_color_and_a_light_background_are_passed_on() -> None:
    chosen = choose_profile(replace(LOCAL, no_color=True, background="light"))
    assert chosen.monochrome
    assert chosen.light


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, {"colours": "truecolor"}),
        ({"TERM": "screen"}, {"colours": "16"}),
        ({"TERM": "screen-256color"}, {"colours": "256"}),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, {"colours": "none"}),
        ({"COLORFGBG": "0;15"}, {"background": "light"}),
        ({"COLORFGBG": "15;default;0"}, {"background": "dark"}),
        ({"COLORFGBG": "garbage"}, {"background": "unknown"}),
        ({"NO_COLOR": "1"}, {"no_color": True}),
        ({"NO_COLOR": ""}, {"no_color": False}),
        ({"SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}, {"ssh": True}),
        ({"TMUX": "/run/tmux-0/default,1,0", "STY": "1.pts"}, {"tmux": True, "screen": True}),
        ({"LC_ALL": "de_DE.ISO-8859-1", "LANG": "C"}, {"locale_name": "de_DE.ISO-8859-1"}),
    ],
)
def test_facts_are_read_from_the_environment(environment: dict[str, str], expected: dict[str, Any]) -> None:
    facts = gather(environment, ancestors=())
    assert {name: getattr(facts, name) for name in expected} == expected


def test_ssh_and_mosh_are_also_told_by_the_processes_above_us() -> None:
    assert gather({}, ancestors={"bash", "sshd"}).ssh
    assert gather({}, ancestors={"mosh-server"}).mosh
    assert not gather({}, ancestors={"bash"}).ssh


def test_under_a_test_runner_there_is_no_terminal_to_draw_on() -> None:
    chosen = choose_profile(replace(gather({}), stdin_is_tty=False))
    assert not chosen.has_terminal
