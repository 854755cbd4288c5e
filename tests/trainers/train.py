"""Three steps of each of TRL's trainers that the formats are for, and the text that each takes loss on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.trainers.learnt import only_the_assistant, segments

STEPS = 3


class Trained(NamedTuple):
    """One trainer: rows loaded and trained on, the loss of each step, and the text under loss of a row."""

    name: str
    format: str
    loaded: dict[str, int]
    rows: int
    p99: int
    longest: int
    max_length: int
    cut_by_default: int
    losses: list[float]
    faults: list[str]
    examples: list[list[str]]


class Bench:
    """What all of them share: the folder of formats, the model, the tokenizer, a place for scratch."""

    def __init__(self, formatted: Path, scratch: Path, model: str, tokenizer: Any) -> None:
        self.formatted, self.scratch, self.model, self.tokenizer = formatted, scratch, model, tokenizer

    def load(self, name: str) -> Any:
        from datasets import load_dataset

        return load_dataset(str(self.formatted / name), cache_dir=str(self.scratch / "cache"))

    def options(self, max_length: int) -> dict[str, Any]:
        return {
            "output_dir": str(self.scratch / "out"),
            "max_steps": STEPS,
            "max_length": max_length,
            "per_device_train_batch_size": 2,
            "logging_steps": 1,
            "learning_rate": 1e-3,
            "save_strategy": "no",
            "report_to": "none",
            "use_cpu": True,
            "bf16": False,
            "disable_tqdm": True,
        }

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(ids)
        return text


Turns = list[dict[str, Any]]
Learnt = Iterator[tuple[list[str], Turns]]
"""Of each row (of each side of a pair) the texts under loss, and the messages that they should be of."""


def sft(bench: Bench, name: str = "trl-conversational", *, assistant_only: bool = True) -> Trained:
    """SFT by conversations with tools, as the recipe of the folder says."""
    from trl import SFTConfig, SFTTrainer

    data = bench.load(name)
    kept = data.filter(lambda row: all(turn.get("weight") != 0 for turn in row["messages"]))

    def trainer(max_length: int) -> Any:
        args = SFTConfig(assistant_only_loss=assistant_only, packing=False, **bench.options(max_length))
        return SFTTrainer(bench.model, args, train_dataset=kept["train"], processing_class=bench.tokenizer)

    def learnt(made: Any) -> Learnt:
        for row in made.train_dataset:
            yield _labelled(bench, row), row["messages"]

    return _train(bench, "SFT" if assistant_only else "SFT with TRL's defaults", name, data, trainer, learnt)


def prompt_completion(bench: Bench) -> Trained:
    from trl import SFTConfig, SFTTrainer

    name = "trl-prompt-completion"
    data = bench.load(name)

    def trainer(max_length: int) -> Any:
        args = SFTConfig(completion_only_loss=True, packing=False, **bench.options(max_length))
        return SFTTrainer(bench.model, args, train_dataset=data["train"], processing_class=bench.tokenizer)

    def learnt(made: Any) -> Learnt:
        for row in made.train_dataset:
            yield _labelled(bench, row), row["completion"]

    return _train(bench, "SFT, prompt and completion", name, data, trainer, learnt)


def dpo(bench: Bench) -> Trained:
    from trl import DPOConfig, DPOTrainer

    name = "trl-preference"
    data = bench.load(name)

    def trainer(max_length: int) -> Any:
        args = DPOConfig(**bench.options(max_length))
        return DPOTrainer(
            bench.model, args=args, train_dataset=data["train"], processing_class=bench.tokenizer
        )

    def learnt(made: Any) -> Learnt:
        for row in made.train_dataset:
            batch = made.data_collator([row])
            for place, side in enumerate(("chosen", "rejected")):
                yield _masked(bench, batch, place), row[side]

    return _train(bench, "DPO", name, data, trainer, learnt)


def kto(bench: Bench) -> Trained:
    from trl import KTOConfig, KTOTrainer

    name = "trl-unpaired"
    data = bench.load(name)

    def trainer(max_length: int) -> Any:
        args = KTOConfig(desirable_weight=1.0, **bench.options(max_length))
        return KTOTrainer(
            bench.model, args=args, train_dataset=data["train"], processing_class=bench.tokenizer
        )

    def learnt(made: Any) -> Learnt:
        for row in made.train_dataset:
            yield _masked(bench, made.data_collator([row]), 0), row["completion"]

    return _train(bench, "KTO", name, data, trainer, learnt)


def _train(
    bench: Bench,
    name: str,
    format_: str,
    data: Any,
    trainer: Callable[[int], Any],
    learnt: Callable[[Any], Learnt],
) -> Trained:
    from transformers import PrinterCallback

    from pipeline.formats.readme import percentile

    lengths = [length for row in trainer(1 << 20).train_dataset for length in _lengths(row)]
    p99, longest = percentile(lengths, 99), max(lengths)
    made = trainer(longest)
    made.remove_callback(PrinterCallback)  # the losses are told with the rest
    made.train()
    faults, examples, rows = [], [], 0
    for texts, messages in learnt(made):
        rows += 1
        fault = only_the_assistant(texts, messages)
        if fault is not None:
            faults.append(fault)
        examples.append(texts)
    losses = [float(entry["loss"]) for entry in made.state.log_history if "loss" in entry]
    return Trained(
        name,
        format_,
        {split: len(rows) for split, rows in data.items()},
        rows,
        p99,
        longest,
        longest,
        sum(length > 1024 for length in lengths),
        losses,
        faults,
        _telling(examples),
    )


def _telling(examples: list[list[str]]) -> list[list[str]]:
    """The row with the most turns under loss, and the one with the most calls in a turn."""
    turns = max(examples, key=len)
    calls = max(examples, key=lambda texts: max(text.count("<tool_call>") for text in texts))
    return [turns, calls] if calls != turns else [turns]


def _lengths(row: dict[str, Any]) -> list[int]:
    """Tokens of a row; of a pair those of prompt and each side."""
    if "input_ids" in row:
        return [len(row["input_ids"])]
    sides = [side for side in ("chosen_ids", "rejected_ids", "completion_ids") if side in row]
    return [len(row["prompt_ids"]) + len(row[side]) for side in sides]


def _labelled(bench: Bench, row: dict[str, Any]) -> list[str]:
    return segments(row["input_ids"], [label != -100 for label in row["labels"]], bench.decode)


def _masked(bench: Bench, batch: Any, place: int) -> list[str]:
    ids, mask = batch["input_ids"][place].tolist(), batch["completion_mask"][place].tolist()
    return segments(ids, [bool(each) for each in mask], bench.decode)
