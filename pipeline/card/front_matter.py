"""The YAML at the head of the card: what the Hub shows, and what ``load_dataset`` loads by which name.

An export that carries its split in its rows is one file, and is mapped to the split ``mixed``: called
``train``, its validation rows would be trained on. Formats that are one file a split are mapped as such.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.card.context import CardContext
from pipeline.card.facts import ExportFacts
from pipeline.card.licences import Licence, hub_id
from pipeline.card.markdown import yaml
from pipeline.contracts import paths

MIXED = "mixed"
_TASKS = (("text-generation", ("sft", "preference")), ("text-retrieval", ("rag",)))
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def front_matter(name: str, exports: Mapping[str, ExportFacts], context: CardContext) -> str:
    lines = ["---", f"pretty_name: {yaml(name)}", *_licence_lines(context)]
    tasks = [task for task, of in _TASKS if any(exports[each].rows for each in of if each in exports)]
    if tasks:
        lines += ["task_categories:", *(f"- {task}" for task in tasks)]
    rows = sum(facts.rows for facts in exports.values())
    size = next((label for most, label in _SIZES if rows < most), "n>1M")
    lines += ["size_categories:", f"- {yaml(size)}", "configs:"]
    for export, path in paths.EXPORT_FILES.items():
        lines += _config(export, {MIXED: str(path.relative_to(paths.EXPORTS))})
    by_format: dict[str, dict[str, str]] = {}
    for file in context.formatted:
        by_format.setdefault(f"{file.export}.{file.format}", {})[file.split or MIXED] = file.path
    for config, files in sorted(by_format.items()):
        lines += _config(config, files)
    return "\n".join([*lines, "---"])


def _config(name: str, files: Mapping[str, str]) -> list[str]:
    lines = [f"- config_name: {name}", "  data_files:"]
    for split, path in files.items():
        lines += [f"  - split: {split}", f"    path: {path}"]
    return lines


def _licence_lines(context: CardContext) -> list[str]:
    stated = [licence for licence in context.licences.values() if licence.name]
    ids = sorted({hub_id(licence.name or "") for licence in stated}) or ["unknown"]
    lines = ["license:", *(f"- {yaml(each)}" for each in ids)]
    others = sorted({licence for licence in stated if hub_id(licence.name or "") == "other"}, key=_by_name)
    if others:
        lines.append(f"license_name: {yaml('; '.join(licence.name or '' for licence in others), None)}")
        links = [licence.link for licence in others if licence.link]
        if links:
            lines.append(f"license_link: {yaml(links[0], None)}")
    return lines


def _by_name(licence: Licence) -> tuple[str, str]:
    return (licence.name or "", licence.link or "")
