"""The README of a format's folder: what is in it, and the recipe by which the right text is learnt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.contracts import paths
from pipeline.formats.format import Format
from pipeline.formats.front_matter import front_matter
from pipeline.formats.write import FileKind

_LOADERS: dict[FileKind, str] = {"parquet": "parquet", "jsonl": "json"}
_STEP = 256
_LEAST = 1024
# An estimate of four bytes a token is short where texts are code, numbers or not English.
_MARGIN = 1.5


def readme(
    format_: Format,
    kind: FileKind,
    rows: Mapping[str, int],
    tokens: Sequence[int],
    refused: Counter[str],
) -> str:
    """``rows`` counts by split, ``tokens`` are the estimated lengths of all rows."""
    folder = paths.FORMATTED / format_.name
    lines = [*front_matter(format_, kind, rows), f"# {format_.name}", "", f"{format_.help}.", ""]
    lines += [f"- {caution}" for caution in format_.cautions if caution.startswith("**")]
    lines += ["", "| file | rows |", "| --- | --- |"]
    lines += [f"| `{split}.{kind}` | {count:,} |" for split, count in rows.items()]
    if not rows:
        lines.append("| none: no row fits this format | 0 |")
    lines += ["", *_lengths(tokens), "", "## Loss recipe", ""]
    language = "yaml" if "sequence_len" in format_.recipe or "cutoff_len" in format_.recipe else "python"
    recipe = format_.recipe
    for name, value in (
        ("folder", str(folder)),
        ("loader", _LOADERS[kind]),
        ("max_length", str(recommended_length(tokens))),
    ):
        recipe = recipe.replace(f"{{{name}}}", value)
    lines += [f"```{language}", recipe.rstrip(), "```", ""]
    others = [f"- {caution}" for caution in format_.cautions if not caution.startswith("**")]
    lines += [*others, ""] if others else []
    if refused:
        lines += ["## Left out", "", "| reason | rows |", "| --- | --- |"]
        lines += [f"| `{reason}` | {count:,} |" for reason, count in sorted(refused.items())]
        lines.append("")
    lines += [
        f"Made by `distill export --format {format_.name}` from the exports of one run. Receipts are in "
        f"`{paths.FORMAT_RECEIPTS / format_.name}/`.",
        "",
    ]
    return "\n".join(line for place, line in enumerate(lines) if line or lines[place - 1])


def recommended_length(tokens: Sequence[int]) -> int:
    """A ``max_length`` that cuts no more than one row in a hundred, with room for what an estimate misses."""
    needed = int(percentile(tokens, 99) * _MARGIN)
    return max(_LEAST, -(-needed // _STEP) * _STEP)


def percentile(values: Sequence[int], share: int) -> int:
    """The least value that ``share`` of a hundred values are not above; 0 of none."""
    ordered = sorted(values)
    return ordered[-(-len(ordered) * share // 100) - 1] if ordered else 0


def _lengths(tokens: Sequence[int]) -> list[str]:
    if not tokens:
        return []
    return [
        f"Estimated tokens a row: median {percentile(tokens, 50):,}, p99 {percentile(tokens, 99):,}, longest "
        f"{max(tokens):,}. It is an estimate (`estimated_tokens`): the recipe has half as much again."
    ]
