"""QuarantinedRow: a scored run that an exporter refused, and why. It holds no text of the run."""

from __future__ import annotations

from pydantic import Field

from pipeline.schemas.parts import (
    Category,
    Code,
    ExportName,
    Name,
    Provenance,
    Row,
    RunId,
    SchemaVersion1,
    Text,
    UtcTimestamp,
)

SCHEMA_VERSION = 1


class QuarantinedRow(Row):
    """One refusal in `exports/quarantine/`. Per export, scored = exported + quarantined."""

    schema_version: SchemaVersion1 = Field(description="Version of this schema.")
    export: ExportName = Field(description="The export that refused the run.")
    reason: Code = Field(description="Permanent code of the refusal.")
    detail: Text = Field(description="What the code leaves open; no text of the run.")
    run_id: RunId = Field(description="The run that was refused.")
    stream: Name = Field(description="Stream of the run.")
    task_id: Name = Field(
        description="Task of the run; `secret-` and a digest of it where the id holds a credential."
    )
    category: Category = Field(description="Category of the run.")
    provenance: Provenance = Field(description="The source line of the run.")
    recorded_at: UtcTimestamp = Field(description="When the row was first written.")
