"""The YAML at the head of a format's README: which files ``load_dataset(folder)`` reads, and their types.

A loader of lines takes their types from the first file: a member that only the other split has would stop it,
and a text that looks like a date would become one. Parquet has its types in the file.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.formats.format import FLAG, JSON, JSON_TEXT, NUMBER, TEXT, Columns, Format, Kind
from pipeline.formats.write import FileKind

# ``JSON_TEXT`` is a value in lines, and text in Parquet alone.
_TYPES = {TEXT: "string", NUMBER: "float64", FLAG: "bool", JSON: "json", JSON_TEXT: "json"}


def front_matter(format_: Format, kind: FileKind, splits: Iterable[str]) -> list[str]:
    """Nothing where there is no file."""
    files = [line for split in splits for line in (f"  - split: {split}", f"    path: {split}.{kind}")]
    if not files:
        return []
    features = (
        ["dataset_info:", "  features:", *_members(format_.all_columns, "  ")] if kind == "jsonl" else []
    )
    return ["---", "configs:", "- config_name: default", "  data_files:", *files, *features, "---", ""]


def _members(columns: Columns, indent: str) -> list[str]:
    lines = []
    for name, kind in columns.items():
        first, *more = _typed(kind, indent + "  ")
        lines += [f"{indent}- name: {name}", f"{indent}  {first}", *more]
    return lines


def _typed(kind: Kind, indent: str) -> list[str]:
    """The type of a member; the first line has no indent."""
    if isinstance(kind, dict):
        return ["struct:", *_members(kind, indent)]
    if isinstance(kind, list):
        (element,) = kind
        if isinstance(element, dict):
            return ["list:", *_members(element, indent)]
        return [f"list: {_TYPES[str(element)]}"]
    return [f"dtype: {_TYPES[kind]}"]
