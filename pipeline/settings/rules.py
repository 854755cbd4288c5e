"""The syntax of the transform language: what may stand in ``[stream.fields]``, ``parts``, ``where``.

A rule takes one value out of a source line (``path``, ``const``, ``template``, …) and passes it
through steps (``regex``, ``map``, …), in the order in which they are declared below, whatever
their order in the file. ``docs/streams.md`` teaches the language; ``pipeline.streams`` compiles
it. Everything that can be wrong about a rule without seeing data is refused here, by name.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipeline.settings.patterns import compile_pattern
from pipeline.settings.syntax import MILLISECONDS, check_path, check_template, check_time_format


class _Syntax(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        defer_build=True,
    )


def _as_path(value: object) -> object:
    return {"path": value} if isinstance(value, str) else value


def _as_expression(value: object) -> object:
    return {"expression": value} if isinstance(value, str) else value


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str | dict) else value


def _as_listed_parts(value: object) -> object:
    return {"listed": value} if isinstance(value, list | tuple) else value


def _check_regex(pattern: str) -> str:
    compile_pattern(pattern)
    return pattern


Scalar = str | bool | int | float
Number = float
PathText = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(check_path)]
Template = Annotated[str, Field(max_length=20_000), AfterValidator(check_template)]
Regex = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_check_regex)]
TimeFormat = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(check_time_format)]
Unit = Annotated[
    str,
    AfterValidator(lambda unit: _one_of(unit, MILLISECONDS)),
]
Role = Literal["system", "user", "assistant", "tool"]
StreamRef = Annotated[str, Field(min_length=1, max_length=100)]


def _one_of(value: str, allowed: Any) -> str:
    if value not in allowed:
        raise ValueError(f"must be one of {', '.join(sorted(allowed))}")
    return value


RuleText = Annotated["Rule", BeforeValidator(_as_path)]
"""A rule, or a text that stands for ``{ path = … }``."""
Rules = Annotated[tuple[RuleText, ...], Field(strict=False), BeforeValidator(_as_list)]
ConditionText = Annotated["Condition", BeforeValidator(_as_expression)]
"""A condition, or a text that stands for a JMESPath expression that must be true."""
Conditions = Annotated[tuple[ConditionText, ...], Field(strict=False), BeforeValidator(_as_list)]
PathList = Annotated[tuple[PathText, ...], Field(strict=False), BeforeValidator(_as_list)]


class Condition(_Syntax):
    """True or false of one source line. Of several tests on one value, all must hold."""

    expression: PathText | None = None
    """JMESPath; true unless it gives null, false, or an empty text, list or object."""
    path: PathText | None = None
    """The value that the tests below look at."""
    equals: Scalar | None = None
    not_equals: Scalar | None = None
    in_: Annotated[tuple[Scalar, ...], Field(strict=False)] | None = Field(default=None, alias="in")
    matches: Regex | None = None
    exists: bool | None = None
    """``true``: there and not null; ``false``: absent or null."""
    above: Number | PathText | None = None
    """A number, or the path of the number to compare with; so too the three below."""
    at_least: Number | PathText | None = None
    below: Number | PathText | None = None
    at_most: Number | PathText | None = None
    all_: Conditions | None = Field(default=None, alias="all")
    any_: Conditions | None = Field(default=None, alias="any")
    not_: ConditionText | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Condition:
        _exactly_one(self, ("expression", "path", "all_", "any_", "not_"))
        tests = [name for name in CONDITION_TESTS if getattr(self, name) is not None]
        if self.path is not None and not tests:
            raise ValueError("a condition on a path needs a test, such as equals or exists")
        if self.path is None and tests:
            raise ValueError(f"{_spelled(tests[0])} needs a path to look at")
        return self


class Case(_Syntax):
    """One branch of ``case``."""

    when: ConditionText
    then: RuleText


class Rule(_Syntax):
    """One value out of a source line."""

    path: PathText | None = None
    """Where it is: ``info.task.instruction``, ``traj[1].content``, or any JMESPath."""
    const: Scalar | None = None
    """The value itself."""
    template: Template | None = None
    """A text with paths in braces, ``{{`` for a brace; null when one of them is missing."""
    join: Rules | None = None
    """Rules, or one rule that gives a list, joined to one text; null when one is missing."""
    first_of: Rules | None = None
    """The first of several rules that gives a value."""
    case: Annotated[tuple[Case, ...], Field(strict=False)] | None = None
    """The ``then`` of the first branch whose ``when`` holds, or ``else``."""
    lookup: StreamRef | None = None
    """A stream of role ``lookup``; ``get`` is asked of its line whose id is ``key``."""
    turn: PathText | None = None
    """A conversation; gives the text of its first or last turn of ``role``."""

    zip: Annotated[dict[str, RuleText], Field(min_length=1)] | None = None
    """Member = the rule that finds its list: lists of one length as one list of objects."""
    hash: Rules | None = None
    """Rules whose values together give a text of 32 hex digits: the same values, the same text."""

    with_: str | None = Field(default=None, alias="with")
    """Of ``join``: what stands between the pieces; a newline unless said."""
    skip_missing: bool = False
    """Of ``join`` and ``zip``: leave missing pieces out; of ``hash``: they count as null."""
    else_: RuleText | None = Field(default=None, alias="else")
    key: RuleText | None = None
    role: str | None = None
    """Of ``turn``: whose; ``assistant`` unless said."""
    which: Literal["first", "last"] | None = None
    """Of ``turn``: ``last`` unless said."""

    when: ConditionText | None = None
    """The rule gives null where this does not hold."""

    json_: bool = Field(default=False, alias="json")
    """A text becomes the value that it holds as JSON; anything else stays what it is."""
    get: RuleText | None = None
    """Of ``lookup``: what is taken of the line found. Elsewhere: what is taken of the value found."""
    at: RuleText | None = None
    """Finds the index (or key) of the one item that is wanted of a list (or object)."""
    nulls: Annotated[tuple[Scalar, ...], Field(strict=False)] = ()
    """Values that mean "not recorded"."""
    regex: Regex | None = None
    """The first group of the first match in a text; null without a match."""
    map: dict[str, Scalar] | None = None
    """Value to value; ``"*"`` stands for any other. A value that is not in it is a wrong type."""
    divide_by: Annotated[Number, Field(gt=0)] | None = None
    """For a score out of ten."""
    pass_at: Number | None = None
    """A number from here on is ``pass``."""
    fail_below: Number | None = None
    """Of ``pass_at``: a number below this is ``fail``, between them neither; ``pass_at`` unless said."""
    duration: Unit | None = None
    """Milliseconds of a number in this unit, or of a text that may name its own (``"58.9 seconds"``)."""
    time: Annotated[tuple[TimeFormat, ...], Field(strict=False), BeforeValidator(_as_list)] = ()
    """Formats to try: ``iso``, ``epoch_seconds``, ``epoch_ms``, strptime's. No zone means UTC."""
    to_text: bool = False
    """Anything that is not a text becomes its JSON text."""
    lenient: bool = False
    """A value that fits no step, and a look-up that finds nothing, become null instead of a skip."""
    default: Scalar | None = None
    """What null becomes in the end (not where ``when`` does not hold)."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> Rule:
        source = _exactly_one(self, RULE_SOURCES)
        for option, owner in RULE_OPTIONS.items():
            if getattr(self, option) not in (None, False) and source not in owner:
                raise ValueError(f"{_spelled(option)} belongs to {', '.join(owner)}")
        if source == "lookup" and (self.key is None or self.get is None):
            raise ValueError("lookup needs key, where the id is, and get, what is taken from the line found")
        if self.fail_below is not None and (self.pass_at is None or self.fail_below > self.pass_at):
            raise ValueError("fail_below needs a pass_at that is not below it")
        return self


CONDITION_TESTS = (
    "equals",
    "not_equals",
    "in_",
    "matches",
    "exists",
    "above",
    "at_least",
    "below",
    "at_most",
)
RULE_SOURCES = ("path", "const", "template", "join", "first_of", "case", "lookup", "turn", "zip", "hash")
RULE_OPTIONS = {
    "with_": ("join",),
    "skip_missing": ("join", "zip", "hash"),
    "else_": ("case",),
    "key": ("lookup",),
    "role": ("turn",),
    "which": ("turn",),
}
"""Option → the sources that it belongs to."""


def _spelled(name: str) -> str:
    return name.rstrip("_")


def _exactly_one(model: BaseModel, names: tuple[str, ...]) -> str:
    given = [name for name in names if getattr(model, name) is not None]
    if len(given) != 1:
        spelled = ", ".join(_spelled(name) for name in names)
        raise ValueError(
            f"needs exactly one of {spelled}; it has {' and '.join(_spelled(n) for n in given) or 'none'}"
        )
    return given[0]


class MessagesRule(_Syntax):
    """A conversation: a list of turns, in the shape of most chat logs."""

    path: Rules = Field(min_length=1)
    """Where the list is, or JSON text of it; of several paths or rules, the first that gives one."""
    append: Rules = ()
    """Further turns after it: a message, or a list of them (a response logged beside its request)."""
    system: RuleText | None = None
    """The system prompt, where the log keeps it apart; becomes the first turn."""
    role: PathText = "role"
    content: PathText = "content"
    roles: dict[str, Role] = {}
    """The log's words for the speakers, where they are not the usual ones."""
    reasoning: PathList | None = None
    """Where a turn holds what the model thought; the usual members unless said, ``[]`` leaves it out."""
    weight: PathText | None = None
    """Where a turn holds how much it counts in training; ``weight`` unless said."""
    when: ConditionText | None = None


class OverrideRule(_Syntax):
    """A person's decision about the run; none where ``decision`` gives null."""

    decision: RuleText
    by: RuleText | None = None
    reason: RuleText | None = None
    at: RuleText | None = None


MessagesText = Annotated[
    MessagesRule, BeforeValidator(lambda value: {"path": value} if isinstance(value, str | list) else value)
]


class StreamFields(_Syntax):
    """Evidence field = where it is found in one source line."""

    task_id: RuleText | None = None
    timestamp: RuleText | None = None
    model_name: RuleText | None = None
    model_provider: RuleText | None = None
    instruction: RuleText | None = None
    context: RuleText | None = None
    response: RuleText | None = None
    goal: RuleText | None = None
    messages: MessagesText | None = None
    tools: RuleText | None = None
    finish_reason: RuleText | None = None
    environment_error: RuleText | None = None
    success_markers: Rules = ()
    failure_markers: Rules = ()
    reward: RuleText | None = None
    verdict: RuleText | None = None
    human_override: OverrideRule | None = None
    validation: dict[str, RuleText] = {}
    tokens: RuleText | None = None
    cost_usd: RuleText | None = None
    latency_ms: RuleText | None = None
    tags: Rules = ()

    def over(self, base: StreamFields) -> StreamFields:
        """These fields where they are set, those of ``base`` elsewhere."""
        return base.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})


class Part(_Syntax):
    """One evidence row of a line: the stream's fields, some of them overridden."""

    fields: StreamFields = StreamFields.model_construct()  # and no schema of it is built before it is used
    when: ConditionText | None = None
    """The line yields this part only where it holds."""


class Parts(_Syntax):
    """How one line yields several evidence rows: parts listed one by one, or a list in the line."""

    listed: Annotated[tuple[Part, ...], Field(strict=False, min_length=1)] | None = None
    each: RuleText | None = None
    """A list or an object in the line; rules find the item as ``_part`` and its index or key as ``_key``."""
    keys: (
        Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(strict=False, min_length=1)] | None
    ) = None
    """Members that are the parts: of the object that ``each`` finds, or of the line itself."""
    when: ConditionText | None = None
    """Of ``each``: items for which it does not hold yield no row."""
    optional: bool = False
    """Of ``each``: a line without the list is one part by itself, with no ``_part``."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> Parts:
        if self.keys is None:
            _exactly_one(self, ("listed", "each"))
        elif self.listed is not None:
            raise ValueError("keys belongs to each; a listed part has its own rules")
        elif len(set(self.keys)) < len(self.keys):
            raise ValueError("names a key twice")
        if self.listed is not None and self.when is not None:
            raise ValueError("when belongs to each; a listed part has its own")
        if self.listed is not None and self.optional:
            raise ValueError("optional belongs to each; a listed part is always there")
        return self


PartsText = Annotated[Parts, BeforeValidator(_as_listed_parts)]


class Group(_Syntax):
    """How many lines are one attempt: those with the same ``by``, in the order of the log unless said."""

    by: RuleText | None = None
    """A text or a whole number, asked of each line; not where a whole file is the unit."""
    order: RuleText | None = None
    """A text or a number by which the lines are sorted; one that has none stays behind the line before it."""
    walk: Literal["claude_code", "codex"] | None = None
    """The way through a session whose lines name the line before them."""

    @model_validator(mode="after")
    def _has_one_order(self) -> Group:
        if self.order is not None and self.walk is not None:
            raise ValueError("order and walk are two orders; say one")
        return self


class StreamRules(_Syntax):
    """All of a stream's rules, as its section of ``distill.toml`` holds them."""

    fields: StreamFields = StreamFields.model_construct()  # and no schema of it is built before it is used
    parts: PartsText | None = None
    where: Conditions = ()
    unit: Literal["line", "file"] = "line"
    group: Group | None = None

    @model_validator(mode="after")
    def _groups_by_one_thing(self) -> StreamRules:
        by = None if self.group is None else self.group.by
        if self.unit == "file" and by is not None:
            raise ValueError('unit = "file" makes one group of each file, so its group has no by')
        return self
