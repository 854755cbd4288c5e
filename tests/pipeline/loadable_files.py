"""Endings of files that a trainer's loader reads, and of what such a file may be packed in."""

KINDS = (
    "jsonl", "ndjson", "json", "parquet", "parq", "pq", "csv", "tsv", "arrow", "feather", "txt", "tar", "zip",
    "xml", "conllu", "h5", "eval", "lance", "vortex", "fasta",
)  # fmt: skip
PACKED = ("gz", "bz2", "xz", "zst", "lz4")
# Names of which a loader takes any ending for the kind.
INSIDE = (
    "more.jsonl.bak", "more.jsonl.md", "more.json.SET-ASIDE-1767954151", "rows.csv.orig", "task.toml",
    "x/x.py",
)  # fmt: skip
