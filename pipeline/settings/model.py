"""The sections of ``distill.toml``: names, defaults, limits. No files are touched here.

Models are frozen, strict and refuse unknown keys, so a slip is an error that names the key.
The sentence below a field is what ``docs/settings.md`` says about it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from pipeline.contracts.paths import DEFAULT_TAG, JOURNAL_STEMS
from pipeline.settings.values import (
    EXPORT_NAMES,
    AllowedCategories,
    Cap,
    Exports,
    Line,
    Paths,
    PhaseName,
    Refusals,
    Revision,
    RuleTree,
    Score,
    Share,
    Sides,
    SizeBytes,
    StreamName,
    Texts,
)


class Section(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        defer_build=True,
    )


class WorkspaceSettings(Section):
    """What the workspace is called, and from where it may read."""

    name: Line = "distillation"
    """Shown in the console's title and in reports."""
    last_good_tag: Revision = DEFAULT_TAG
    """The git tag to which wizards restore files."""
    source_roots: Paths = ()
    """Directories outside that streams may read, never write: absolute, or relative to the workspace."""


class EngineSettings(Section):
    """Which engine runs and how it divides the work. Nothing here changes a row."""

    source: Literal["installed", "workspace"] = "installed"
    """`installed`, or `workspace`: the workspace's own `pipeline/`, if both belong to you."""
    workers: int = Field(default=0, ge=0, le=1024)
    """Processes that share the work; 0 means one for each CPU."""
    chunk_bytes: SizeBytes = Field(default=2**20, ge=1024, le=2**30)
    """Size of one unit of work: a number of bytes, or text such as `"1MiB"`."""


class StreamSettings(Section):
    """One source stream: which files it reads and how a line of them becomes evidence.

    `fields`, `parts` and `where` are written in the transform language, which [streams](streams.md) teaches.
    """

    name: StreamName
    """Lower-case letters, digits, `_`, `.` and `-`; names the stream's files and is part of every run id."""
    path: Paths = Field(min_length=1)
    """A glob or a list of globs, relative to the workspace or inside one of `source_roots`."""
    tier: int = Field(default=1, ge=1, le=3)
    """1 marks a stream that the pipeline is fed by; it raises a symptom when it has no rows."""
    role: Literal["source", "lookup"] = "source"
    """A `lookup` stream yields no evidence; other streams take values from it by its `key`."""
    key: str | None = Field(default=None, min_length=1)
    """Where a lookup stream's lines hold their id; required for `lookup`, not allowed for `source`."""
    closed: bool = False
    """Whether nothing is appended to its files any more: a last line without a line end then counts."""
    exports: Exports = EXPORT_NAMES
    """The exports that this stream may feed."""
    preset: str | None = Field(default=None, min_length=1)
    """A shipped set of rules for a common log shape; `fields` override it."""
    unit: Literal["line", "file"] = "line"
    """What one attempt is: a `line` (an item, in a file that is one JSON value), or a whole `file`."""
    group: RuleTree = None
    """Which lines are one attempt together: those with the same `by`, in their `order`."""
    where: RuleTree = None
    """Which lines are used; the others are skipped as `filtered_out`."""
    fields: dict[str, RuleTree] = {}
    """Evidence field = where it is found in one source line."""
    parts: RuleTree = None
    """How one line yields several evidence rows."""
    license: Line | None = None
    """The licence of the stream's data, for the dataset card: `MIT`, `CC BY 4.0`, or a name of its own."""
    license_link: Line | None = None
    """Where that licence can be read; the card needs it for one that has a name of its own."""

    @field_validator("name")
    @classmethod
    def _is_no_journal(cls, name: str) -> str:
        if name.split(".", 1)[0] in JOURNAL_STEMS:
            raise ValueError("a stream cannot be named like one of the pipeline's own journals")
        return name

    @model_validator(mode="after")
    def _fits_its_role(self) -> StreamSettings:
        if self.role == "lookup":
            if self.key is None:
                raise ValueError('a stream of role "lookup" needs a key: where its lines hold their id')
            if self.fields or self.parts is not None or self.preset is not None:
                raise ValueError('a stream of role "lookup" yields no evidence: no fields, parts or preset')
            if self.group is not None or self.unit != "line":
                raise ValueError('a stream of role "lookup" is read line by line: no group or unit')
        elif self.key is not None:
            raise ValueError('key belongs to a stream of role = "lookup"')
        elif not self.fields and self.preset is None:
            raise ValueError("a source stream needs [stream.fields] or a preset")
        return self


class EvaluationSettings(Section):
    """One test set that must never be trained on: JSONL files, or Parquet.

    Rows that hold its items are refused as `evaluation_overlap`; see [exports](exports.md).
    """

    name: StreamName
    """Lower-case letters, digits, `_`, `.` and `-`; named by the rows that are refused."""
    path: Paths = Field(min_length=1)
    """A glob or a list of globs, as for a stream."""
    prompt: str | None = Field(default=None, min_length=1)
    """Where an item holds what is asked, as a dotted path; user turns are held against it."""
    answer: str | None = Field(default=None, min_length=1)
    """Where an item holds its answer; assistant turns are held against it."""
    code: Sides = ()
    """The sides, `"prompt"` or `"answer"`, that are code: compared by its tokens, not as words."""

    @model_validator(mode="after")
    def _has_a_side(self) -> EvaluationSettings:
        if self.prompt is None and self.answer is None:
            raise ValueError("an evaluation set needs prompt, answer or both: where its items hold them")
        return self


class ScoringSettings(Section):
    """Thresholds of the scorer, on a reward of 0 to 1."""

    accept_at: Score = 1.0
    """A reward of at least this is `accepted`."""
    partial_at: Score = 0.5
    """A reward of at least this, below `accept_at`, is `partially_accepted`; anything lower is `rejected`."""

    @model_validator(mode="after")
    def _are_ordered(self) -> ScoringSettings:
        if self.partial_at > self.accept_at:
            raise ValueError(f"partial_at ({self.partial_at}) is above accept_at ({self.accept_at})")
        return self


class RagSettings(Section):
    """Playbooks for retrieval."""

    max_tokens: int = Field(default=8192, ge=1)
    """Estimated tokens of one playbook; longer ones are quarantined as `too_long`, never cut."""
    categories: AllowedCategories = ("accepted", "partially_accepted")
    """Which runs become playbooks; the others are `category_left_out`."""
    partial_at: dict[StreamName, Score] = {}
    """Stream = the least score of its partially accepted runs; lower ones are `below_partial_at`."""
    max_per_task: Cap | None = 1
    """Playbooks of one task, the best first; the others are `better_playbook`."""
    stream_caps: dict[StreamName, Cap] = {}
    """Stream = how many of its playbooks may be exported; the others are `stream_cap`."""
    max_rows: Cap | None = None
    """How many playbooks may be exported; the others are `row_cap`."""
    near_duplicates: Literal["off", "report", "drop"] = "off"
    """Playbooks that say nearly what a better one says: not looked for, reported, or `near_duplicate`."""


class SftSettings(Section):
    """Instruction and response rows for fine-tuning."""

    max_tokens: int = Field(default=32768, ge=1)
    """Estimated tokens of one row; longer ones are quarantined as `too_long`, never cut."""
    categories: AllowedCategories = ("accepted", "partially_accepted")
    """Which runs become rows, `["accepted"]` say; the others are `category_left_out`."""
    partial_at: dict[StreamName, Score] = {}
    """Stream = the least score of its partially accepted runs; lower ones are `below_partial_at`."""
    max_per_task: Cap | None = None
    """Rows of one task, the best first (score, fewer turns, run id); the others are `task_cap`."""
    stream_caps: dict[StreamName, Cap] = {}
    """Stream = how many of its rows may be exported; the others are `stream_cap`."""
    max_rows: Cap | None = None
    """How many rows may be exported; the others are `row_cap`."""
    near_duplicates: Literal["off", "report", "drop"] = "off"
    """Rows that say nearly what a better row says: not looked for, reported, or `near_duplicate`."""


class PreferenceSettings(Section):
    """Chosen and rejected pairs."""

    max_tokens: int = Field(default=32768, ge=1)
    """Estimated tokens of prompt and longer side together; longer pairs are quarantined as `too_long`."""
    max_pairs_per_task: int = Field(default=4, ge=1)
    """Further pairs of one task are quarantined as `pair_cap`."""
    completion: Literal["first_turn", "turns"] = "first_turn"
    """How much of a side is written: its first turn, or all `turns`, those of users and tools too."""
    categories: AllowedCategories = ("accepted", "partially_accepted")
    """Which runs may be the chosen side; one that has no pair for it is `category_left_out`."""
    partial_at: dict[StreamName, Score] = {}
    """Stream = the least score of a partially accepted chosen side; else `below_partial_at`."""
    max_length_gap: int | None = Field(default=None, ge=0)
    """By how many tokens the sides of a pair may differ; runs that have no pair for it are `length_gap`."""
    stream_caps: dict[StreamName, Cap] = {}
    """Stream = how many of its pairs may be exported; the others are `stream_cap`."""
    max_rows: Cap | None = None
    """How many pairs may be exported; the others are `row_cap`."""
    near_duplicates: Literal["off", "report", "drop"] = "off"
    """Pairs of which both sides say nearly what a wider pair's say: as for SFT."""


class ExportSettings(Section):
    """What the three exports have in common."""

    validation_share: Share = 0.1
    """Share of questions (or tasks) whose rows carry the split `validation`; none is on both sides."""
    split_by: Literal["prompt", "task"] = "prompt"
    """What is never on both sides: a question (its normalised prompt, of any stream), or a stream's task."""
    tokenizer: Line | None = None
    """A `tokenizer.json` by which tokens are counted; without one they are estimated from bytes."""
    render_check: Line | None = None
    """A chat template (Jinja or `tokenizer_config.json`); what it refuses stands in no SFT row or pair."""
    refuse: Refusals = ()
    """What keeps a run out of SFT and pairs: codes of [conversations](exports.md) that are counted anyway."""
    pii: Literal["report", "refuse"] = "report"
    """Rows with personal data: counted, or quarantined as `pii_found`."""
    max_shrink: float = Field(default=0.5, ge=0, le=1)
    """Share of an export's rows that a run may lose; one that would lose more needs `--allow-shrink`."""
    rag: RagSettings = RagSettings.model_construct()
    sft: SftSettings = SftSettings.model_construct()
    preference: PreferenceSettings = PreferenceSettings.model_construct()

    def near_duplicates_of(self, export: str) -> str:
        """`off`, `report` or `drop`, for the export of that name."""
        return {
            "rag": self.rag.near_duplicates,
            "sft": self.sft.near_duplicates,
            "preference": self.preference.near_duplicates,
        }[export]


class DriftSettings(Section):
    """When a metric has moved far enough from its baseline to be reported."""

    warn_pct: float = Field(default=20.0, gt=0)
    """Change in per cent beyond which a metric warns."""
    min_z: float = Field(default=3.0, ge=0)
    """Standard deviations that a change of a count must also exceed, so that small counts do not cry wolf."""


class ReplaySettings(Section):
    """The model that answers when a task is replayed. `LH_REPLAY_LOCAL_MODEL` beats `model`."""

    model: Line = "extractive"
    """`extractive` is built in and offline; `openai:NAME` asks the server at `base_url`."""
    base_url: str = Field(default="http://127.0.0.1:11434/v1", pattern=r"^https?://[!-~]+\z", max_length=2000)
    """An OpenAI-compatible chat API (Ollama, vLLM, llama.cpp)."""
    timeout_seconds: float = Field(default=60.0, gt=0, le=3600)
    """How long to wait for the server's answer."""
    escalation_model: Line | None = None
    """Asked at `base_url` when the local answer fails validation, unless `--local-only`; `openai:NAME`."""

    @field_validator("base_url")
    @classmethod
    def _holds_no_secret(cls, url: str) -> str:
        if "@" in url.split("/")[2]:
            raise ValueError("a user name or password in a tracked file is no secret; leave it out")
        return url


class RotationSettings(Section):
    """Journals that grow without an end."""

    replay_log_mb: float = Field(default=100.0, gt=0)
    """Size in MB (10^6 bytes) above which the replay log should be rotated."""


class ReleaseSettings(Section):
    """What release-freeze runs."""

    tests: Texts = Field(default=("python3", "-m", "unittest", "discover", "-v", "-s", "tests"), min_length=1)
    """The test suite as an argument list; it is never run through a shell."""


class AlertSettings(Section):
    """Whom the live detectors tell."""

    command: Texts = ()
    """An argument list that gets the alert as JSON on its standard input; empty means nobody."""


class ConsoleSettings(Section):
    """How the console is used here. A console that finds a mistake keeps all its own keys."""

    keys: dict[str, Texts] = {}
    """Action = its keys, the first one shown: `"run.start" = ["ctrl+r"]`. See `docs/keys.md`."""


Named = StreamSettings | EvaluationSettings


class Settings(Section):
    """All of ``distill.toml``. Everything but ``[[stream]]`` has a default."""

    workspace: WorkspaceSettings = WorkspaceSettings.model_construct()
    engine: EngineSettings = EngineSettings.model_construct()
    streams: tuple[StreamSettings, ...] = Field(default=(), alias="stream", strict=False)
    evaluations: tuple[EvaluationSettings, ...] = Field(default=(), alias="evaluation", strict=False)
    scoring: ScoringSettings = ScoringSettings.model_construct()
    export: ExportSettings = ExportSettings.model_construct()
    drift: DriftSettings = DriftSettings.model_construct()
    replay: ReplaySettings = ReplaySettings.model_construct()
    rotation: RotationSettings = RotationSettings.model_construct()
    phases: dict[PhaseName, Revision] = {}
    """Phase = the commit that finished it: `P0` to `P8` for the release manifest, your own from `P10` on."""
    release: ReleaseSettings = ReleaseSettings.model_construct()
    alert: AlertSettings = AlertSettings.model_construct()
    console: ConsoleSettings = ConsoleSettings.model_construct()

    # Python code says ``streams=``; the file says ``[[stream]]`` and nothing else (load.py).
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    @field_validator("streams", "evaluations")
    @classmethod
    def _names_are_unique(cls, declared: tuple[Named, ...], info: ValidationInfo) -> tuple[Named, ...]:
        seen: set[str] = set()
        for one in declared:
            if one.name in seen:
                kind = "streams" if info.field_name == "streams" else "evaluation sets"
                raise ValueError(f'two {kind} are named "{one.name}"')
            seen.add(one.name)
        return declared

    def stream(self, name: str) -> StreamSettings:
        """The stream called ``name``. Raises KeyError."""
        for stream in self.streams:
            if stream.name == name:
                return stream
        raise KeyError(name)


def from_document(document: dict[str, Any]) -> Settings:
    """Settings from parsed TOML, where a stream is spelled ``stream``. Raises pydantic.ValidationError."""
    return Settings.model_validate(document, by_alias=True, by_name=False)
