"""The single files of before, ``exports/formatted/<export>.<format>.jsonl``: still written for one version.

Their shapes are those that scripts know: ``trl-prompt-completion`` as texts, ``trl-unpaired`` of pairs alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from pipeline.contracts import paths
from pipeline.formats import openai_chat, trl_conversational, trl_preference
from pipeline.formats.format import Format, Row
from pipeline.formats.reading import Convert, Converted, Reading
from pipeline.formats.write import (
    RECEIPT_SUFFIX,
    Files,
    announce_receipt,
    put_receipt,
    receipt_of,
    take_away,
    write_jsonl,
)
from pipeline.stages.refusals import QuarantineReason, Refusal
from pipeline.stages.splits import TRAIN, VALIDATION
from pipeline.stages.transcript import flat_prompt


def single_file(export: str, name: str, split: str = TRAIN) -> str:
    """Where such a file is. ``chat-jsonl`` is one file a split, because its rows name none."""
    of_split = "" if split == TRAIN else f".{split}"
    return str(paths.FORMATTED / f"{export}.{name}{of_split}.jsonl")


def write_single_files(workspace: Path, name: str, reading: Reading) -> list[dict[str, object]]:
    """Write the single file of a format that had one, and give the receipts. Raises as ``write_folder``."""
    export, convert, has_split = SINGLE[name]
    first = single_file(export, name)

    def file_of(row: Converted) -> str:
        return first if has_split else single_file(export, name, row.split)

    def announce(files: Files) -> None:
        for path, output in files.outputs.items():
            announce_receipt(
                workspace, path + RECEIPT_SUFFIX, receipt_of(name, reading, output, files.refused)
            )

    files = write_jsonl(workspace, reading, convert, file_of, announce, always=[first])
    if not has_split and single_file(export, name, VALIDATION) not in files.outputs:
        gone = single_file(export, name, VALIDATION)
        take_away(workspace, gone, gone + RECEIPT_SUFFIX)
    receipts = []
    for path, output in sorted(files.outputs.items()):
        receipt = receipt_of(name, reading, output, files.refused)
        put_receipt(workspace, path + RECEIPT_SUFFIX, receipt)
        receipts.append(receipt)
    return receipts


def _of(format_: Format) -> Convert:
    """Its rows, with ``id`` and ``split`` where they do not disturb the trainer."""

    def convert(row: Row) -> Row | Refusal:
        made = format_.convert(row)
        if isinstance(made, Refusal) or not format_.has_id:
            return made
        return {**made, **_origin(row)}

    return convert


def _prompt_completion(row: Row) -> Row | Refusal:
    if row["shape"] != "flat":
        return Refusal(QuarantineReason.NEEDS_MESSAGES)
    prompt = flat_prompt(row["instruction"], row["context"])
    return {"prompt": prompt, "completion": row["response"], **_origin(row)}


def _unpaired(row: Row) -> list[Row] | Refusal:
    sides = _PREFERENCE.convert(row)
    if isinstance(sides, Refusal):
        return sides
    return [
        {
            "prompt": sides["prompt"],
            "completion": sides[side],
            "label": label,
            "tools": sides["tools"],
            **_origin(row),
        }
        for side, label in (("chosen", True), ("rejected", False))
    ]


def _origin(row: Row) -> Row:
    return {"id": row["id"], "split": row["split"]}


_PREFERENCE, _, _PREFERENCE_PLAIN = trl_preference.FORMATS


class _Single(NamedTuple):
    """The export that it is made from, how, and whether its rows name their split."""

    export: Literal["sft", "preference"]
    convert: Convert
    has_split: bool


SINGLE: dict[str, _Single] = {
    "trl-conversational": _Single("sft", _of(trl_conversational.FORMATS[0]), True),
    "trl-prompt-completion": _Single("sft", _prompt_completion, True),
    "chat-jsonl": _Single("sft", _of(openai_chat.FORMATS[0]), False),
    "trl-preference": _Single("preference", _of(_PREFERENCE), True),
    "trl-preference-plain": _Single("preference", _of(_PREFERENCE_PLAIN), True),
    "trl-unpaired": _Single("preference", _unpaired, True),
}
