"""Credentials are found, ordinary code is not refused, and the copied rules equal their originals."""

from __future__ import annotations

import base64
import importlib
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.secret_rules import RULES, SecretRule
from pipeline.stages.secrets import AFTER_BYTES, secret_in_bytes

# Put together here, so that no scanner takes this file for a leak.
BODY = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4AB"
HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
EXAMPLES = {
    "aws_access_key": "AKIA" + "IOSFODNN7EXAMPLE",
    "azure_storage_key": "AccountKey=" + BODY[:86] + "==",
    "github_token": "ghp_" + BODY[:36],
    "github_fine_grained_token": "github_pat_" + BODY[:82],
    "gitlab_token": "glpat-" + BODY[:20],
    "json_web_token": f"{HEADER}.e30.c2ln",
    "npm_token": "//npm.example.com/:_authToken=" + "npm_" + BODY[:36],
    "openai_key": "sk-" + BODY[:20] + "T3BlbkFJ" + BODY[:20],
    "anthropic_key": "sk-ant-api03-" + BODY[:93] + "AA",
    "google_api_key": "AIza" + BODY[:35],
    "hugging_face_token": "hf_" + "abcdefghijklmnopqrstuvwxyzABCDEFGH",
    "private_key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "pypi_token": "pypi-" + "AgEIcHlwaS5vcmc" + BODY[:70],
    "sendgrid_key": "SG." + BODY[:22] + "." + BODY[:43],
    "slack_token": "xoxb-" + "123456789012-123456789012-" + BODY[:24].lower(),
    "square_secret": "sq0csp-" + BODY[:43],
    "stripe_key": "sk_live_" + BODY[:24],
}

HARMLESS = [
    "git commit -m 'AKIA is a prefix' && ls .ghp_cache",
    "task_id = 'hf_transfer'; risk_live_update = True",
    "eyJ is how base64 of an object starts; a.b.c is not a token",
    base64.urlsafe_b64encode(b'{"no":"header"}').decode() + ".abc.def",
    "-----BEGIN CERTIFICATE-----",
    "BEGIN TRANSACTION; UPDATE accounts SET key = 1; COMMIT",
    "sha256: " + "0123456789abcdef" * 4,
    "/home/user/very/long/path/to/a/file_with_underscores-and-dashes.tar.gz",
]


def secret_in(text: str) -> str | None:
    return secret_in_bytes(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("kind", EXAMPLES)
def test_each_kind_is_found_wherever_it_stands(kind: str) -> None:
    secret = EXAMPLES[kind]
    for text in (secret, f"export TOKEN={secret}\n", f'{{"key": "{secret}"}}', "é" * 5000 + f" {secret} "):
        assert secret_in(text) == kind


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_is_not_refused(text: str) -> None:
    assert secret_in(text) is None


PATTERNS = [(rule, pattern) for rule in RULES for pattern in rule.patterns]


@settings(max_examples=25)
@given(st.data())
@pytest.mark.parametrize(("rule", "pattern"), PATTERNS, ids=lambda part: getattr(part, "kind", ""))
def test_every_match_of_a_pattern_holds_a_literal(
    rule: SecretRule, pattern: re.Pattern[bytes], data: st.DataObject
) -> None:
    """The literals decide which texts are searched at all, so they must not miss a match."""
    # Real tokens of the one rule that ignores case are in lower case, and so are its literals.
    source = re.compile(pattern.pattern, pattern.flags & ~re.IGNORECASE)
    found = source.search(data.draw(st.from_regex(source)))
    assert found is not None
    assert any(literal in found.group() for literal in rule.literals)


def test_a_literal_does_not_hide_the_one_that_starts_inside_it() -> None:
    assert secret_in("AKIA" + "Iza" + BODY[:35]) == "google_api_key"
    assert secret_in("sk-" + BODY[:17] + "A3T3BlbkFJ" + BODY[:20]) is None
    assert secret_in("sk-" + BODY[:18] + "A3" + "T3BlbkFJ" + BODY[:20]) == "openai_key"


@given(st.integers(1, 3 * AFTER_BYTES))
def test_a_secret_is_found_at_any_distance_from_other_literals(distance: int) -> None:
    assert secret_in("eyJ" + " " * distance + EXAMPLES["json_web_token"]) == "json_web_token"


ORIGINALS = {
    "aws_access_key": "aws.AWSKeyDetector",
    "azure_storage_key": "azure_storage_key.AzureStorageKeyDetector",
    "github_token": "github_token.GitHubTokenDetector",
    "gitlab_token": "gitlab_token.GitLabTokenDetector",
    "json_web_token": "jwt.JwtTokenDetector",
    "npm_token": "npm.NpmDetector",
    "openai_key": "openai.OpenAIDetector",
    "private_key": "private_key.PrivateKeyDetector",
    "pypi_token": "pypi_token.PypiTokenDetector",
    "sendgrid_key": "sendgrid.SendGridDetector",
    "slack_token": "slack.SlackDetector",
    "square_secret": "square_oauth.SquareOAuthDetector",
    "stripe_key": "stripe.StripeDetector",
}
# Not copied: it is guessed from the name of a variable.
NOT_COPIED = {"aws_access_key": 1}


@pytest.mark.parametrize("kind", ORIGINALS)
def test_the_copied_patterns_are_those_of_detect_secrets(kind: str) -> None:
    pytest.importorskip("detect_secrets")
    module, name = ORIGINALS[kind].split(".")
    detector = getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)
    original = [pattern.pattern for pattern in detector.denylist]
    copied = [pattern.pattern.decode() for rule in RULES if rule.kind == kind for pattern in rule.patterns]
    assert copied == original[: len(original) - NOT_COPIED.get(kind, 0)]


def test_a_hostile_text_of_nothing_but_prefixes_is_searched_in_bounded_steps() -> None:
    """A window is searched once, however many literals it holds. Measured: about a second."""
    text = "eyJ" * 100_000
    before = time.process_time()
    assert secret_in(text) is None
    assert time.process_time() - before < 30
    assert len(text) > 100 * AFTER_BYTES


def test_the_modules_say_nothing_of_what_they_found(capsys: pytest.CaptureFixture[str]) -> None:
    for kind, secret in EXAMPLES.items():
        assert secret_in(secret) == kind
        assert secret not in kind
    assert capsys.readouterr() == ("", "")


def test_this_file_holds_no_credential_itself() -> None:
    assert secret_in(Path(__file__).read_text(encoding="utf-8")) is None
