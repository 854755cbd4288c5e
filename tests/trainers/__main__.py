"""`make trainers`: build the demo, write the formats, load them, train three steps each, look at the loss.

Offline, on the CPU, with a tiny random model that is made here. Exit code 0 when every trainer did its steps
and had nothing but the assistant's text under loss; 1 otherwise, with what differed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

from tests.trainers import exports, model, templates, train

PACKAGES = ("torch", "transformers", "trl", "datasets", "tokenizers", "accelerate", "pyarrow")
_SHOWN = 160


def main() -> int:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        os.environ[name] = "1"
    _quiet()
    say("  ".join(f"{name} {version(name)}" for name in PACKAGES))
    with tempfile.TemporaryDirectory(prefix="distill-trainers-") as scratch:
        return _run(Path(scratch))


def _run(scratch: Path) -> int:
    from trl.chat_template_utils import qwen3_chat_template

    distill = Path(sys.executable).with_name("distill")
    formatted = exports.make_exports(distill, scratch / "demo")
    tokenizer = model.tokenizer(qwen3_chat_template)
    bench = train.Bench(
        formatted, scratch, model.save_model(scratch / "model", len(tokenizer), 1 << 15), tokenizer
    )
    failed = [
        tell(made)
        for made in (train.sft(bench), train.prompt_completion(bench), train.dpo(bench), train.kto(bench))
    ]
    control = train.sft(bench, assistant_only=False)
    wrong, rows = len(control.faults), control.rows
    say(f"\ncontrol: {control.name}: {wrong} of {rows} rows have other text under loss, such as")
    say(f"  {control.faults[0][:_SHOWN] if control.faults else 'none: this check cannot fail'}")
    failed.append(not control.faults)
    tell_templates(templates.render_all(bench.load("trl-conversational")["train"], tokenizer))
    return int(any(failed))


def tell(made: train.Trained) -> bool:
    """Print what one trainer did; True when something is not as it should be."""
    loaded = ", ".join(f"{split} {count}" for split, count in made.loaded.items())
    say(f"\n{made.name}  ({made.format})")
    say(f"  loaded   {loaded}")
    say(f"  tokens   p99 {made.p99:,}, longest {made.longest:,}, each of one byte")
    say(f"  length   max_length {made.max_length:,}; the default, 1,024, cuts {made.cut_by_default} rows")
    losses = ", ".join(f"{loss:.3f}" for loss in made.losses)
    say(f"  steps    {len(made.losses)}, loss {losses}")
    say(f"  learnt   {made.rows} texts looked at, {len(made.faults)} other than what the assistant said")
    for texts in made.examples:
        say("  under loss:")
        for text in texts:
            say(f"    {text[:_SHOWN]!r}")
    for fault in made.faults[:5]:
        say(f"  FAULT    {fault[:_SHOWN]}")
    return bool(made.faults) or len(made.losses) != train.STEPS or not made.rows


def tell_templates(rendered: list[templates.Rendered]) -> None:
    """Which templates refuse what: to know before a model is chosen, no fault of the rows."""
    whole = [each for each in rendered if not each.refused and not each.without_answer]
    rows = rendered[0].taken + rendered[0].refused.total()
    say(f"\n{len(rendered)} chat templates of TRL: {len(whole)} take all {rows} conversations")
    for each in rendered:
        for reason, count in each.refused.most_common():
            say(f"  {each.name:<34} refuses {count:>3}: {reason}")
        if each.without_answer:
            say(f"  {each.name:<34} renders {each.without_answer} without the last answer")


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _quiet() -> None:
    import datasets
    import transformers

    warnings.simplefilter("ignore")
    datasets.disable_progress_bars()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


if __name__ == "__main__":
    sys.exit(main())
