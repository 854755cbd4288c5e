"""RagSample: a playbook for retrieval, made of one good run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.schemas.parts import (
    AllowedCategory,
    Count,
    Fraction,
    Name,
    Ordinal,
    Provenance,
    Row,
    RunId,
    Split,
    Text,
    UtcTimestamp,
)

SCHEMA_VERSION = 2


class RagSample(Row):
    """One playbook of `exports/rag/playbooks.jsonl`. Only accepted and partially accepted runs."""

    id: Annotated[str, Field(pattern=r"^rag-[0-9a-f]{16}$")] = Field(
        description="Identity derived from the run id."
    )
    title: Name = Field(description="One line that says what the playbook is about.")
    content: Name = Field(description="The playbook: what was asked and what worked.")
    tags: Text = Field(
        description="Labels of the run, joined by one space each (none inside a label); or empty."
    )
    source_run_id: RunId = Field(description="The run that the playbook is made of.")
    success_score: Fraction = Field(description="Score of the run, under the name that retrieval uses.")
    source_category: AllowedCategory = Field(description="Category of the run; no other may enter.")
    embedding_text: Name = Field(description="The text to index.")
    stream: Name = Field(description="Stream of the run.")
    task_id: Name = Field(description="Task of the run.")
    model_name: Text = Field(description="Model that answered, or empty when it is not known.")
    score: Fraction = Field(description="Score of the run.")
    turns: Ordinal = Field(description="Assistant turns in the run; 1 for a flat one.")
    estimated_tokens: Count = Field(description="Estimated length of the content in tokens.")
    split: Split = Field(description="Train or validation, by a hash of the task.")
    provenance: Provenance = Field(description="The source line of the run.")
    recorded_at: UtcTimestamp = Field(description="When the row was first written.")
