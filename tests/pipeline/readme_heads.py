"""Heads of READMEs in ``exports/``: what may stand there, and what must be noticed."""

from __future__ import annotations

SFT = "instruction_response.jsonl"


def head(*lines: str) -> bytes:
    return "\n".join(["---", *lines, "---", "", "# A page", ""]).encode()


def naming(file: str, config: str = "default") -> bytes:
    return head("configs:", f"- config_name: {config}", f"  data_files: {file}")


# Place below exports/ → its bytes.
HARMLESS = {
    "the one beside an export": ("sft/README.md", naming(SFT)),
    "splits": (
        "README.md",
        head("configs:", "- config_name: sft", "  data_files:", "  - split: mixed", f"    path: sft/{SFT}"),
    ),
    "a name in quotes": ("sft/README.md", naming(f'"{SFT}"')),
    "no head": ("sft/README.md", b"# SFT\n\n---\n\nconfigs: none\n"),
    "no files": ("README.md", head("language:", "- en", 'pretty_name: "a: b"', "license: mit")),
    "labelled rows under their name": (
        "README.md",
        naming("formatted/trl-unpaired/train.parquet", "labelled.trl-unpaired"),
    ),
    "labelled rows in their folder": ("formatted/trl-unpaired/README.md", naming("train.parquet")),
    "an empty file of settings": ("sft/.huggingface.yaml", b"\n"),
}
FORBIDDEN = {
    "a quarantined file": ("sft/README.md", naming(f"{SFT}.QUARANTINED-1767954151")),
    "a file from elsewhere": ("sft/README.md", naming("../../data/scored-runs/reviews.jsonl")),
    "a file by its whole path": ("sft/README.md", naming("/srv/rows.jsonl")),
    "a file at the root by an export's name": ("sft/README.md", naming(f"/{SFT}")),
    "a hidden file": ("sft/README.md", naming(".rows.jsonl")),
    "a quarantine file": ("README.md", naming("quarantine/sft.jsonl")),
    "one of a list": (
        "README.md",
        head("configs:", "- config_name: sft", "  data_files:", f"  - sft/{SFT}", "  - sft/.more.jsonl"),
    ),
    "a hidden formatted file": ("README.md", naming("formatted/chat-jsonl/.more.jsonl")),
    "a quarantined folder": ("README.md", naming("formatted/chat-jsonl.QUARANTINED-1/train.jsonl")),
    "labelled rows under another name": ("README.md", naming("formatted/trl-unpaired/train.parquet", "sft")),
    "labelled rows elsewhere": ("sft/README.md", naming("../formatted/llama-factory-kto/train.jsonl")),
    "settings of loaders": ("sft/.huggingface.yaml", naming(SFT)),
}
# What a loader may take for anything.
UNCLEAR = {
    "a pattern": ("sft/README.md", naming('"*"')),
    "an address": ("sft/README.md", naming("hf://datasets/somebody/rows/train.jsonl")),
    "a key in quotes": ("sft/README.md", head('"configs":', f"- data_files: {SFT}.QUARANTINED-1")),
    "a list in brackets": ("sft/README.md", head("configs:", f"- data_files: [{SFT}]")),
    "members in braces": ("sft/README.md", head(f"configs: [{{data_files: {SFT}}}]")),
    "a block": ("sft/README.md", head("configs:", "- data_files: |", f"    {SFT}")),
    "an escape": ("sft/README.md", naming('"a\\x2ejsonl"')),
    "an anchor": ("sft/README.md", head("other: &a", "- data_files: rows.jsonl", "configs: *a")),
    "a merged member": ("sft/README.md", head("<<: *a")),
    "all of it indented": ("sft/README.md", head(" configs:", " - data_files: rows.jsonl")),
    "a rule that is a key": ("sft/README.md", head("---x: 1", "configs:", "- data_files: rows.jsonl")),
    "not UTF-8": ("sft/README.md", b"---\nconfigs: \xff\n---\n"),
}
