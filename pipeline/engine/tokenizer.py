"""The tokenizer of ``[export] tokenizer``: tokens of rows counted by it, where one is named.

Counted is what a row carries: contents, reasoning and calls of its messages, the tool definitions, and
four tokens a message for the markup of a chat template. Without a tokenizer the exporters' estimate stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.faults import SettingsError
from pipeline.contracts.untrusted import visible
from pipeline.platform import disk
from pipeline.settings.confine import is_inside, source_roots
from pipeline.settings.model import ExportSettings, Settings
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.sample import TOKENS_A_MESSAGE, Sample

# Larger than any row: with a tokenizer, no estimate refuses one.
_NO_LIMIT = 2**62


@dataclass(frozen=True)
class TokenCounter:
    """``digest`` is the sha256 (hex) of the tokenizer's file; ``count`` is the tokens of one text."""

    digest: str
    count: Callable[[str], int]

    def of_sample(self, sample: Sample) -> int:
        """The tokens of a run as a conversation: prompt, answers, tools."""
        if sample.messages is None:
            texts = [text for text in (sample.context, sample.instruction, sample.response) if text]
            return self._of(texts, len(texts)) + self._of((sample.tools,), 0)
        texts = [sample.tools]
        for turn in sample.messages:
            texts += (turn["content"] or "", turn.get("reasoning") or "")
            for call in turn["tool_calls"] or ():
                texts += (call["name"], call["arguments"])
        return self._of(texts, len(sample.messages))

    def of_row(self, row: dict[str, Any]) -> int:
        """The tokens of an exported row: of a pair those of the prompt and its longer side."""
        if "chosen" in row:
            prompt = self._of_messages(row["prompt"]) + self._of((row["tools"],), 0)
            return prompt + max(self._of_messages(row["chosen"]), self._of_messages(row["rejected"]))
        if "messages" in row:
            return self._of_messages(row["messages"]) + self._of((row["tools"],), 0)
        return self._of((row["content"],), 1)

    def counted(self, row: dict[str, Any], max_tokens: int) -> dict[str, Any] | Refusal:
        """The row with its tokens as counted, or refused for them."""
        tokens = self.of_row(row)
        return self.too_long(tokens, max_tokens) or row | {"estimated_tokens": tokens}

    @staticmethod
    def too_long(tokens: int, max_tokens: int) -> Refusal | None:
        if tokens <= max_tokens:
            return None
        return Refusal(QuarantineReason.TOO_LONG, f"{tokens} tokens, max_tokens is {max_tokens}")

    def _of_messages(self, messages: list[dict[str, Any]]) -> int:
        texts = (turn[name] for turn in messages for name in ("content", "reasoning", "tool_calls"))
        return self._of(texts, len(messages))

    def _of(self, texts: Iterable[str], messages: int) -> int:
        return sum(self.count(text) for text in texts if text) + TOKENS_A_MESSAGE * messages


def without_limits(options: ExportSettings) -> ExportSettings:
    """The settings under which no exporter refuses a row for its estimated length."""
    return options.model_copy(
        update={
            name: getattr(options, name).model_copy(update={"max_tokens": _NO_LIMIT})
            for name in paths.EXPORT_FILES
        }
    )


def load_tokenizer(workspace: Path, settings: Settings) -> TokenCounter | None:
    """None where no tokenizer is named. Raises SettingsError when it cannot be used."""
    named = settings.export.tokenizer
    if named is None:
        return None
    if not is_inside(workspace / named, workspace, source_roots(workspace, settings)):
        raise _unusable(named, "it lies outside the workspace and its source_roots")
    return read_tokenizer(workspace, named)


def read_tokenizer(workspace: Path, named: str) -> TokenCounter:
    """The tokenizer of a ``tokenizer.json``. Raises SettingsError when it cannot be used."""
    try:
        with disk.open_to_read(workspace / named) as file:
            data = file.read()
    except OSError as error:
        raise _unusable(named, error.strerror or "it cannot be read") from error
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise _unusable(
            named, "the library tokenizers is not installed", "pip install 'distill-console[tokenizer]'"
        ) from None
    try:
        tokenizer = Tokenizer.from_buffer(data)
    except Exception as error:
        raise _unusable(named, f"it is no tokenizer ({str(error)[:100]})") from error
    # A tokenizer may come with the length that its model was trained on; a row is counted whole.
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(text: str) -> int:
        whole = text.encode("utf-8", "replace").decode()
        return len(tokenizer.encode(whole, add_special_tokens=False).ids)

    return TokenCounter(hashlib.sha256(data).hexdigest(), count)


def _unusable(
    named: str, why: str, do_next: str = "Name a tokenizer.json, or leave the setting out."
) -> SettingsError:
    return SettingsError.of(
        code="tokenizer_unusable",
        what_happened=visible(f"{paths.SETTINGS}: [export] tokenizer: {named}: {why}."),
        kept_safe="Nothing was changed.",
        do_next=do_next,
        file=str(paths.SETTINGS),
        value=named,
    )
