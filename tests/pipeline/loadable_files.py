"""Endings of files that a trainer's loader reads, and of what such a file may be packed in."""

KINDS = (
    "jsonl", "ndjson", "json", "parquet", "parq", "pq", "csv", "tsv", "arrow", "feather", "txt", "tar", "zip",
)  # fmt: skip
PACKED = ("gz", "bz2", "xz", "zst", "lz4")
