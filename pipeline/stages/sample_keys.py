"""When two exported rows are the same sample: the keys by which the engine collapses them."""

from __future__ import annotations

from typing import Any

from pipeline.stages.text_keys import digest16, keys_of_messages, normalise


def sample_key(row: dict[str, Any]) -> bytes:
    """16 bytes of what a trainer or a retriever would read of a RAG or an SFT row.

    Who said it, how well it scored and where it came from do not count: the first of equal
    samples stays, the others are ``duplicate_sample``.
    """
    if "embedding_text" in row:
        return digest16("rag", normalise(row["content"]))
    messages = row["messages"]
    if messages is not None:
        return digest16("conversation", keys_of_messages(messages).hex())
    texts = (row["instruction"], row["context"] or "", row["response"])
    return digest16("flat", *map(normalise, texts))
