"""Which files the loaders of trainers read, by their names.

``datasets`` reads a file when any of the endings of its name is one that it knows: ``rows.jsonl.bak`` as
well as ``rows.jsonl.gz``.
"""

from __future__ import annotations

from pathlib import PurePosixPath

_LOADED = frozenset((
    "jsonl", "ndjson", "json", "parquet", "parq", "pq", "geoparquet", "gpq", "csv", "tsv", "arrow", "feather",
    "txt", "tar", "tgz", "zip", "conll", "conllu", "xml", "h5", "hdf5", "eval", "lance", "vortex", "tsfile",
    # Sequences of biology are texts, too.
    "fa", "fasta", "fna", "ffn", "faa", "frn", "afa", "gb", "gbk", "genbank", "fq", "fastq", "pdb", "ent",
    "cif", "mmcif",
))  # fmt: skip
# A folder of tasks is read by these.
_WHOLE_NAMES = frozenset(("task.toml", "instruction.md"))


def is_loaded(place: PurePosixPath) -> bool:
    """Whether loaders of data sets would read a file of this name, in this folder."""
    name = place.name.lower()
    if name in _WHOLE_NAMES or not _LOADED.isdisjoint(name.split(".")[1:]):
        return True
    # Older loaders run the program that bears the name of its folder.
    return name == f"{place.parent.name.lower()}.py"
