"""When two exported rows are the same sample: the keys by which the engine collapses them.

Who said it, how well it scored and where it came from do not count. The first of equal samples
stays, the others are ``duplicate_sample``.
"""

from __future__ import annotations

from hashlib import sha256

from pipeline.stages.row_identity import KEY_BYTES
from pipeline.stages.sample import Sample


def sft_sample_key(sample: Sample) -> bytes:
    """16 bytes of what a trainer reads of an SFT row.

    A conversation is all of its messages. A flat row is instruction, context and response. What
    the model was offered belongs to both.
    """
    if sample.turn_keys:
        return sha256(sample.tools_key + sample.turn_keys).digest()[:KEY_BYTES]
    texts = (sample.instruction_key, sample.context_key, sample.response_key)
    return _key(*texts, sample.tools_key) if sample.tools_key else _key(*texts)


def rag_sample_key(sample: Sample) -> bytes:
    """16 bytes of what a playbook says: task, context, and everything that the model said.

    Not whether that worked fully or partly, so that the same playbook is not there twice.
    """
    return _key(sample.task_text_key, sample.context_key, sample.response_key)


def same_key_for_both(sample: Sample) -> bool:
    """Whether ``sft_sample_key`` and ``rag_sample_key`` are one: a flat run's task is its instruction."""
    if sample.turn_keys or sample.tools_key:
        return False
    return sample.task_text_key == sample.instruction_key


def _key(*parts: bytes | None) -> bytes:
    return sha256(b"".join(part or bytes(KEY_BYTES) for part in parts)).digest()[:KEY_BYTES]
