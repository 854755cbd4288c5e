"""Credentials in texts: found before a text reaches an export.

The patterns are those of detect-secrets 1.5.0 (github.com/Yelp/detect-secrets, Apache-2.0) and,
for four newer key formats, of gitleaks (github.com/gitleaks/gitleaks, MIT): as far as a pattern
by itself is near proof, with a fixed prefix and length. What these detectors guess from entropy
or from a variable's name is left out, since it would refuse ordinary code. They are copied
because detect-secrets brings an HTTP client along;
``tests/pipeline/stages/test_secrets.py`` holds the copies to the original.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from ahocorasick_rs import BytesAhoCorasick, MatchKind

# How far around a literal its pattern looks; no credential is longer. One window serves all
# literals in its first half, so that a hostile text of nothing but literals costs a search a window.
BEFORE_BYTES = 256
AFTER_BYTES = 1100


def _always(match: bytes) -> bool:
    return True


@dataclass(frozen=True)
class SecretRule:
    """``literals``: each match of a pattern holds one, so that few texts are searched at all."""

    kind: str
    literals: tuple[bytes, ...]
    patterns: tuple[re.Pattern[bytes], ...]
    is_secret: Callable[[bytes], bool] = _always


def _has_token_header(match: bytes) -> bool:
    """Whether the first part decodes to a JOSE header (RFC 7515): an object with ``alg``."""
    header = match.split(b".", 1)[0]
    try:
        decoded = json.loads(base64.urlsafe_b64decode(header + b"=" * (-len(header) % 4)))
    except ValueError:
        return False
    return isinstance(decoded, dict) and "alg" in decoded


def _rule(
    kind: str, literals: str, *patterns: str, flags: int = 0, is_secret: Callable[[bytes], bool] = _always
) -> SecretRule:
    compiled = tuple(re.compile(pattern.encode(), flags) for pattern in patterns)
    return SecretRule(kind, tuple(literals.encode().split()), compiled, is_secret)


RULES: tuple[SecretRule, ...] = (
    _rule("aws_access_key", "A3T ABIA ACCA AKIA ASIA", r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}"),
    _rule("azure_storage_key", "AccountKey=", r"AccountKey=[a-zA-Z0-9+\/=]{88}"),
    _rule("github_token", "ghp_ gho_ ghu_ ghs_ ghr_", r"(ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9_]{36}"),
    _rule("github_fine_grained_token", "github_pat_", r"github_pat_\w{82}"),
    _rule(
        "gitlab_token",
        "glpat- gldt- glft- glsoat- glrt- GR1348941 glcbt- glimt- glptt- glagent- gloas-",
        r"(glpat|gldt|glft|glsoat|glrt)-[A-Za-z0-9_\-]{20,50}(?!\w)",
        r"GR1348941[A-Za-z0-9_\-]{20,50}(?!\w)",
        r"glcbt-([0-9a-fA-F]{2}_)?[A-Za-z0-9_\-]{20,50}(?!\w)",
        r"glimt-[A-Za-z0-9_\-]{25}(?!\w)",
        r"glptt-[A-Za-z0-9_\-]{40}(?!\w)",
        r"glagent-[A-Za-z0-9_\-]{50,1024}(?!\w)",
        r"gloas-[A-Za-z0-9_\-]{64}(?!\w)",
    ),
    _rule(
        "json_web_token",
        "eyJ",
        r"eyJ[A-Za-z0-9-_=]+\.[A-Za-z0-9-_=]+\.?[A-Za-z0-9-_.+/=]*?",
        is_secret=_has_token_header,
    ),
    _rule("npm_token", "/:_authToken=", r"\/\/.+\/:_authToken=\s*((npm_.+)|([A-Fa-f0-9-]{36})).*"),
    _rule("openai_key", "T3BlbkFJ", r"sk-[A-Za-z0-9-_]*[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
    _rule("anthropic_key", "sk-ant-api03-", r"sk-ant-api03-[a-zA-Z0-9_\-]{93}AA"),
    _rule("google_api_key", "AIza", r"AIza[\w-]{35}"),
    _rule("hugging_face_token", "hf_", r"\bhf_[a-zA-Z]{34}\b"),
    _rule(
        "private_key",
        "BEGIN PuTTY-User-Key-File-2",
        "BEGIN DSA PRIVATE KEY",
        "BEGIN EC PRIVATE KEY",
        "BEGIN OPENSSH PRIVATE KEY",
        "BEGIN PGP PRIVATE KEY BLOCK",
        "BEGIN PRIVATE KEY",
        "BEGIN RSA PRIVATE KEY",
        "BEGIN SSH2 ENCRYPTED PRIVATE KEY",
        "PuTTY-User-Key-File-2",
    ),
    _rule(
        "pypi_token",
        "pypi-AgE",
        r"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9-_]{70,}",
        r"pypi-AgENdGVzdC5weXBpLm9yZw[A-Za-z0-9-_]{70,}",
    ),
    _rule("sendgrid_key", "SG.", r"SG\.[a-zA-Z0-9_-]{22}\.[a-zA-Z0-9_-]{43}"),
    _rule(
        "slack_token",
        "xoxa- xoxb- xoxo- xoxp- xoxr- xoxs- hooks.slack.com",
        r"xox(?:a|b|p|o|s|r)-(?:\d+-)+[a-z0-9]+",
        r"https://hooks\.slack\.com/services/T[a-zA-Z0-9_]+/B[a-zA-Z0-9_]+/[a-zA-Z0-9_]+",
        flags=re.IGNORECASE,
    ),
    _rule("square_secret", "sq0csp-", r"sq0csp-[0-9A-Za-z\\\-_]{43}"),
    _rule("stripe_key", "k_live_", r"(?:r|s)k_live_[0-9a-zA-Z]{24}"),
)


def _can_hide(literal: bytes, other: bytes) -> bool:
    """Whether ``other`` may start inside ``literal``: the search goes on behind a literal."""
    return any(literal.endswith(other[:size]) for size in range(1, len(other)))


def _rules_at(literal: bytes, own: SecretRule) -> tuple[SecretRule, ...]:
    hidden = [
        rule
        for rule in RULES
        if rule is not own and any(_can_hide(literal, other) for other in rule.literals)
    ]
    return (own, *hidden)


_LITERALS = [(literal, _rules_at(literal, rule)) for rule in RULES for literal in rule.literals]
_find_literals = BytesAhoCorasick(
    [literal for literal, _ in _LITERALS], matchkind=MatchKind.LeftmostFirst
).find_matches_as_indexes


def secret_in_bytes(data: bytes) -> str | None:
    """The kind of the first credential in a text's UTF-8, or None. Never the credential itself."""
    searched: dict[str, int] = {}
    for literal, start, end in _find_literals(data):
        for rule in _LITERALS[literal][1]:
            if end + AFTER_BYTES <= searched.get(rule.kind, 0):
                continue
            stop = searched[rule.kind] = end + 2 * AFTER_BYTES
            if _matches(rule, data[max(0, start - BEFORE_BYTES) : stop]):
                return rule.kind
    return None


def _matches(rule: SecretRule, window: bytes) -> bool:
    return any(
        rule.is_secret(match.group()) for pattern in rule.patterns for match in pattern.finditer(window)
    )
