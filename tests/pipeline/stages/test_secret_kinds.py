"""Keys made up at random: at least 99 of 100 of each kind are found, whatever stands around them."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.stages.refusals import Refusal
from pipeline.stages.sample import Sample, read_sample
from pipeline.stages.secret_rules import RULES
from pipeline.stages.secrets import secret_in_bytes
from tests.pipeline.stages.builders import evidence, turn

LETTERS, DIGITS, LOWER = string.ascii_letters, string.digits, string.ascii_lowercase
PLAIN = LETTERS + DIGITS
URL_SAFE = PLAIN + "_-"
UPPER, HEX = string.ascii_uppercase, "0123456789abcdef"
MADE_OF_EACH = 200

Make = Callable[[random.Random], str]


def some(dice: random.Random, count: int, alphabet: str = PLAIN) -> str:
    return "".join(dice.choices(alphabet, k=count))


def uuid(dice: random.Random) -> str:
    return "-".join(some(dice, count, HEX) for count in (8, 4, 4, 4, 12))


def jwt(dice: random.Random) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    return f"{header}.{some(dice, 60, URL_SAFE)}.{some(dice, 43, URL_SAFE)}"


def project_key(dice: random.Random) -> str:
    side = dice.choice((74, 58))
    kind = dice.choice(("proj", "svcacct", "admin"))
    return f"sk-{kind}-" + some(dice, side, URL_SAFE) + "T3Blbk" + "FJ" + some(dice, side, URL_SAFE)


def password(dice: random.Random) -> str:
    user, scheme = some(dice, 6, LOWER), dice.choice(("postgres", "https", "redis", "mongodb+srv", "amqp"))
    word = some(dice, dice.randrange(8, 24), PLAIN + "_-.!$&*+=%^:@")
    return f"{scheme}://{user}:{word}@db.internal:5432/x"


# Prefixes are put together, so that no scanner takes this file for a leak.
GENERATED: dict[str, Make] = {
    "aws_access_key": lambda dice: dice.choice(("AKIA", "ASIA")) + some(dice, 16, UPPER + DIGITS),
    "azure_storage_key": lambda dice: "AccountKey=" + some(dice, 86) + "==",
    "github_token": lambda dice: "gh" + dice.choice("pousr") + "_" + some(dice, 36),
    "github_fine_grained_token": lambda dice: "github" + "_pat_" + some(dice, 22) + "_" + some(dice, 59),
    "gitlab_token": lambda dice: "glpat" + "-" + some(dice, 20, URL_SAFE),
    "json_web_token": jwt,
    "npm_token": lambda dice: "//registry.example.org/:_authToken=" + uuid(dice),
    "openai_key": lambda dice: "sk-" + some(dice, 20) + "T3Blbk" + "FJ" + some(dice, 20),
    "openai_project_key": project_key,
    "anthropic_key": lambda dice: "sk-" + "ant-api03-" + some(dice, 93, URL_SAFE) + "AA",
    "anthropic_admin_key": lambda dice: "sk-" + "ant-admin01-" + some(dice, 93, URL_SAFE) + "AA",
    "anthropic_oauth_token": lambda dice: (
        f"sk-ant-{dice.choice(('oat', 'ort'))}01-" + some(dice, 93, URL_SAFE) + "AA"
    ),
    "anthropic_session_key": lambda dice: "sk-" + "ant-sid01-" + some(dice, 86, URL_SAFE) + "-AA",
    "anthropic_compliance_key": lambda dice: "sk-" + "ant-api01-" + some(dice, 93, URL_SAFE) + "AA",
    "google_api_key": lambda dice: "AI" + "za" + some(dice, 35, URL_SAFE),
    "google_oauth_token": lambda dice: "ya29" + "." + some(dice, 150, URL_SAFE),
    "google_oauth_secret": lambda dice: "GOCSPX" + "-" + some(dice, 28, URL_SAFE),
    "hugging_face_token": lambda dice: "hf" + "_" + some(dice, 34, LETTERS),
    "private_key": lambda dice: f"-----BEGIN {dice.choice(('RSA ', 'EC ', '', 'OPENSSH '))}PRIVATE KEY-----",
    "pypi_token": lambda dice: "pypi" + "-AgEIcHlwaS5vcmc" + some(dice, 150, URL_SAFE),
    "sendgrid_key": lambda dice: "SG" + "." + some(dice, 22, URL_SAFE) + "." + some(dice, 43, URL_SAFE),
    "slack_token": lambda dice: (
        f"xox{dice.choice('bpars')}-{some(dice, 12, DIGITS)}-{some(dice, 12, DIGITS)}-{some(dice, 24)}"
    ),
    "slack_app_token": lambda dice: (
        f"xapp-1-A0{some(dice, 9, UPPER + DIGITS)}-{some(dice, 13, DIGITS)}-{some(dice, 64, HEX)}"
    ),
    "slack_session_token": lambda dice: "xoxe" + ".xoxp-1-" + some(dice, 166),
    "square_secret": lambda dice: "sq0csp" + "-" + some(dice, 43, URL_SAFE),
    "stripe_key": lambda dice: dice.choice("sr") + "k_live_" + some(dice, dice.choice((24, 99))),
    "openrouter_key": lambda dice: "sk-" + "or-v1-" + some(dice, 64, HEX),
    "groq_key": lambda dice: "gsk" + "_" + some(dice, 52),
    "xai_key": lambda dice: "xai" + "-" + some(dice, 80),
    "perplexity_key": lambda dice: "pplx" + "-" + some(dice, 48),
    "nvidia_key": lambda dice: "nvapi" + "-" + some(dice, 64, URL_SAFE),
    "replicate_token": lambda dice: "r8" + "_" + some(dice, 37),
    "langfuse_key": lambda dice: "sk-" + "lf-" + uuid(dice),
    "langsmith_key": lambda dice: "lsv2" + "_pt_" + some(dice, 32, HEX) + "_" + some(dice, 10, HEX),
    "npm_access_token": lambda dice: "npm" + "_" + some(dice, 36),
    "docker_token": lambda dice: "dckr" + "_pat_" + some(dice, 27, URL_SAFE),
    "digitalocean_token": lambda dice: f"do{dice.choice('opr')}_v1_" + some(dice, 64, HEX),
    "databricks_token": lambda dice: "dapi" + some(dice, 32, HEX),
    "aws_bedrock_key": lambda dice: "ABSK" + some(dice, 128),
    "grafana_token": lambda dice: "glsa" + "_" + some(dice, 32) + "_" + some(dice, 8, HEX),
    "vault_token": lambda dice: "hvs" + "." + some(dice, 92, URL_SAFE),
    "url_password": password,
}
# What stands around a key in logs: prose, a shell, JSON in JSON (escapes of letters touch the key), a URL.
SURROUNDINGS = (
    "{}", "Use {} please.", "export KEY={} now", '{{"key": "{}"}}', r'{{\"run\": \"echo\n{}\nexit\"}}',
    "KEY_{}", "`{}`", "https://x.example/?key%3D{}&a=b", r"a\u003d{}\u0026", "(key:{})", "é{}é",
)  # fmt: skip


def found_in(text: str) -> str | None:
    return secret_in_bytes(text.encode())


def test_there_is_a_generator_for_each_kind() -> None:
    assert set(GENERATED) == {rule.kind for rule in RULES}


@pytest.mark.parametrize("kind", GENERATED)
def test_keys_of_each_kind_are_found(kind: str) -> None:
    dice = random.Random(kind)  # noqa: S311 - test keys, the same in every run
    texts = [
        SURROUNDINGS[number % len(SURROUNDINGS)].format(GENERATED[kind](dice))
        for number in range(MADE_OF_EACH)
    ]
    missed = [text for text in texts if found_in(text) is None]
    assert len(missed) <= len(texts) // 100, missed[:3]


NO_PASSWORDS = [
    "postgres://user:password@localhost/db",
    "https://user:pass@example.com",
    "https://USERNAME:YOUR_PASSWORD@host",
    "redis://:${REDIS_PASSWORD}@cache:6379",
    "mongodb://admin:$MONGO_PW@db",
    "postgres://{user}:{password}@{host}",
    "postgresql://%(user)s:%(password)s@%(host)s",
    "mysql://root:root@127.0.0.1",
    "https://user:****@example.com",
    "https://user:xxxxx@example.com",
    "http://localhost:8080/a@b",
    'see "http://a.example:80", or write to "me@example.com"',
    "redis://10.0.0.1:6379,me@example.com",
    "https://example.com/path:part@2x.png",
    "https://medium.com/@author/title:subtitle",
    "ssh://git@github.com:22/a.git",
    "xai-org/grok-1 and npm_config_registry=https://registry.example.org and gsk_total",
    "sk-or-v1-... sk-proj-... sk-ant-oat01-... are prefixes; hvs.CAES is one",
    "/api_v1_users do_v1_0 dapi_client dckr_pat_x r8_t xapp-1-A0",
]


@pytest.mark.parametrize("text", NO_PASSWORDS)
def test_examples_and_variables_are_no_credentials(text: str) -> None:
    assert found_in(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "postgres://app:hunter2@db/x",
        "redis://:s3cr3tValue@cache:6379",
        r'{"url": "mysql:\/\/app:aB3dE5fG@db\/x"}',
        "https://bot:p@ssW0rd9@host/",
        "amqp://app:pa%24ss%2Fw0rd@mq",
        "https://oauth2:4f9c2a77be@git.example/x.git",
    ],
)
def test_a_password_in_an_address_is_found(text: str) -> None:
    assert found_in(text) == "url_password"


SECRET = "ghp" + "_" + some(random.Random(1), 36)  # noqa: S311
CALLED = {"id": "c1", "name": "run", "arguments": "{}"}


def with_call(**members: str) -> dict[str, Any]:
    asking = turn("assistant")
    return evidence(
        messages=[
            turn("user", "Go."),
            asking | {"tool_calls": [CALLED | members]},
            turn("assistant", "Done."),
        ]
    )


def with_turn(role: str, **members: Any) -> dict[str, Any]:
    turns = [
        turn("user", "Go."),
        turn("assistant", "One moment."),
        turn("tool", "ok"),
        turn("assistant", "Ok."),
    ]
    return evidence(messages=[one | members if one["role"] == role else one for one in turns])


CARRIERS: dict[str, dict[str, Any]] = {
    "task_id": evidence(task_id=f"fix {SECRET}"),
    "model_name": evidence(model_name=SECRET),
    "instruction": evidence(instruction=f"Use {SECRET}."),
    "context": evidence(context=SECRET),
    "response": evidence(response=SECRET),
    "tags": evidence(tags=["a", SECRET]),
    "tools": evidence(tools=f'[{{"description": "send {SECRET}"}}]'),
    "tools of a conversation": with_turn("user") | {"tools": SECRET},
    "source file": evidence(provenance=evidence()["provenance"] | {"source_file": f"logs/{SECRET}.jsonl"}),
    "call name": with_call(name=SECRET),
    "call id": with_call(id=SECRET),
    "call arguments": with_call(arguments=f'{{"key": "{SECRET}"}}'),
    "turn name": with_turn("tool", name=SECRET),
    "answered call": with_turn("tool", tool_call_id=SECRET),
    "reasoning": with_turn("assistant", reasoning=f"I will use {SECRET}."),
    "name of who asks": with_turn("user", name=SECRET),
}


@pytest.mark.parametrize("member", CARRIERS)
def test_every_member_that_is_exported_is_searched(member: str) -> None:
    sample = read_sample(CARRIERS[member])
    assert not isinstance(sample, Refusal)
    assert sample.holds.secret == "github_token"


@pytest.mark.parametrize("member", ["goal", "after the last answer"])
def test_what_is_not_exported_is_not_searched(member: str) -> None:
    run = evidence(goal=SECRET)
    if member != "goal":
        run = with_turn("user")
        run["messages"].append(turn("user", f"Thanks, {SECRET}."))
    sample = read_sample(run)
    assert isinstance(sample, Sample)
    assert sample.holds.secret is None
