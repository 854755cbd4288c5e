"""What a credential looks like: one rule a kind, each with the literals that every match holds.

The first group are the patterns of detect-secrets 1.5.0 (github.com/Yelp/detect-secrets, Apache-2.0)
and, for four newer formats, of gitleaks (github.com/gitleaks/gitleaks, MIT), copied because
detect-secrets brings an HTTP client along; ``tests/pipeline/stages/test_secrets.py`` holds the
copies to the original. The second group are formats that their services document or that gitleaks
knows and detect-secrets 1.5.0 does not. Only what is near proof by itself is here: a fixed prefix
and a length. What those tools guess from entropy or from a variable's name would refuse ordinary code.

A kind is permanent: it is the ``detail`` of quarantined rows.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property


def _always(match: re.Match[bytes]) -> bool:
    return True


@dataclass(frozen=True)
class SecretRule:
    """``literals``: each match of a pattern holds one, so that few texts are searched at all."""

    kind: str
    literals: tuple[bytes, ...]
    expressions: tuple[bytes, ...]
    flags: int = 0
    is_secret: Callable[[re.Match[bytes]], bool] = _always

    @cached_property
    def patterns(self) -> tuple[re.Pattern[bytes], ...]:
        """Compiled when a literal is first met: most processes meet none, and all of them take a moment."""
        return tuple(re.compile(each, self.flags) for each in self.expressions)


def _has_token_header(match: re.Match[bytes]) -> bool:
    """Whether the first part decodes to a JOSE header (RFC 7515): an object with ``alg``."""
    header = match.group().split(b".", 1)[0]
    try:
        decoded = json.loads(base64.urlsafe_b64decode(header + b"=" * (-len(header) % 4)))
    except ValueError:
        return False
    return isinstance(decoded, dict) and "alg" in decoded


# What documentation writes where a password would stand, with whatever stands around it.
_PLACEHOLDER = re.compile(
    rb"(?i)\W*(?:(?:your|my|the|db|database|user|some|new|old|root|admin|test|example)[-_]?)*"
    rb"(?:pass|passwd|password|passphrase|pwd|pw|secret|token|key|apikey|credentials?|redacted|hidden|masked"
    rb"|changeme|placeholder|example|user|username|x+|X+)?[0-9]?\W*"
)
# A name that is filled in later: $NAME, ${NAME}, {name}, %NAME%, %(name)s, %s.
_VARIABLE = re.compile(rb"\$\w+|\$?\{[^}]*\}+|%\w+%|%\(?\w*\)?s|\$\([^)]*\)")


def _is_no_placeholder(match: re.Match[bytes]) -> bool:
    """Whether what stands between user name and host is a password, and no example of one."""
    user, password = match.group("user", "password")
    if password == user or _PLACEHOLDER.fullmatch(password) or _VARIABLE.fullmatch(password):
        return False
    # A port and a path that somebody ended with an address: host:8080,me@example.com
    return not re.match(rb"[0-9]{1,5}[,;]", password)


def _rule(
    kind: str,
    literals: str,
    *patterns: str,
    flags: int = 0,
    is_secret: Callable[[re.Match[bytes]], bool] = _always,
) -> SecretRule:
    expressions = tuple(pattern.encode() for pattern in patterns)
    return SecretRule(kind, tuple(literals.encode().split()), expressions, flags, is_secret)


# A prefix that may end a word of its own begins one here: behind anything but a letter or digit, behind
# an escape of JSON (backslash and n, say), or a per cent escape of a URL.
_START = r'(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt"])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))'
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

_OF_DETECT_SECRETS_AND_GITLEAKS = (
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
    _rule("anthropic_key", "sk-ant-", r"sk-ant-api03-[a-zA-Z0-9_\-]{93}AA"),
    _rule("google_api_key", "AIza", r"AIza[\w-]{35}"),
    _rule("hugging_face_token", "hf_", _START + r"hf_[a-zA-Z]{34}(?![A-Za-z0-9_])"),
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
        "xox hooks.slack.com",
        r"xox(?:a|b|p|o|s|r)-(?:\d+-)+[a-z0-9]+",
        r"https://hooks\.slack\.com/services/T[a-zA-Z0-9_]+/B[a-zA-Z0-9_]+/[a-zA-Z0-9_]+",
        flags=re.IGNORECASE,
    ),
    _rule("square_secret", "sq0csp-", r"sq0csp-[0-9A-Za-z\\\-_]{43}"),
    _rule("stripe_key", "k_live_", r"(?:r|s)k_live_[0-9a-zA-Z]{24}"),
)


_SINCE = (
    _rule(
        "openai_project_key",
        "T3BlbkFJ",
        r"sk-(?:proj|svcacct|admin|service)-[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,}",
    ),
    _rule("anthropic_admin_key", "sk-ant-", r"sk-ant-admin[0-9]{2}-[A-Za-z0-9_-]{80,}"),
    _rule("anthropic_oauth_token", "sk-ant-", r"sk-ant-(?:oat|ort)[0-9]{2}-[A-Za-z0-9_-]{80,}"),
    _rule("anthropic_session_key", "sk-ant-", r"sk-ant-sid[0-9]{2}-[A-Za-z0-9_-]{80,}"),
    _rule("anthropic_compliance_key", "sk-ant-", r"sk-ant-api01-[A-Za-z0-9_-]{80,}"),
    _rule("openrouter_key", "sk-or-v1-", r"sk-or-v1-[0-9a-f]{64}"),
    _rule("groq_key", "gsk_", _START + r"gsk_[A-Za-z0-9]{52}"),
    _rule("xai_key", "xai-", _START + r"xai-[A-Za-z0-9_-]{80}"),
    _rule("perplexity_key", "pplx-", _START + r"pplx-[A-Za-z0-9]{48}"),
    _rule("nvidia_key", "nvapi-", _START + r"nvapi-[A-Za-z0-9_-]{60,}"),
    _rule("replicate_token", "r8_", _START + r"r8_[A-Za-z0-9]{37}"),
    _rule("langfuse_key", "sk-lf-", _START + r"sk-lf-" + _UUID),
    _rule("langsmith_key", "lsv2_", _START + r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    _rule("npm_access_token", "npm_", _START + r"npm_[A-Za-z0-9]{36}"),
    _rule("docker_token", "dckr_", _START + r"dckr_[po]at_[A-Za-z0-9_-]{27,}"),
    _rule("digitalocean_token", "_v1_", _START + r"do[opr]_v1_[0-9a-f]{64}"),
    _rule("databricks_token", "dapi", _START + r"dapi[0-9a-f]{32}"),
    _rule("google_oauth_token", "ya29.", _START + r"ya29\.[A-Za-z0-9_-]{30,}"),
    _rule("google_oauth_secret", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    _rule("aws_bedrock_key", "ABSK", _START + r"ABSK[A-Za-z0-9+/]{100,}={0,2}"),
    _rule("slack_app_token", "xapp-", r"xapp-[0-9]-[A-Z0-9]+-[0-9]+-[a-z0-9]{32,}"),
    _rule(
        "slack_session_token",
        "xox",
        r"xoxc-(?:[0-9]+-)+[0-9a-f]{32,}",
        r"xoxe(?:\.xox[bp])?-[0-9]-[A-Za-z0-9]{100,}",
    ),
    _rule("grafana_token", "glsa_", _START + r"glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}"),
    _rule("vault_token", "hvs.", _START + r"hvs\.[A-Za-z0-9_-]{80,}"),
    # RFC 3986, 3.2.1, and what people write: a password may hold anything that does not end an address
    # in prose, in quotes or in JSON. ``:\/\/`` is how PHP writes JSON.
    _rule(
        "url_password",
        r":// :\/\/",
        r":(?://|\\/\\/)(?P<user>[A-Za-z0-9._~%!$&*+=-]{0,128}):"
        r"(?P<password>[^\s/?#\"'`<>\\|]{1,200})@(?=[A-Za-z0-9\[{$])",
        is_secret=_is_no_placeholder,
    ),
)

RULES: tuple[SecretRule, ...] = (*_OF_DETECT_SECRETS_AND_GITLEAKS, *_SINCE)
