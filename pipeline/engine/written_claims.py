"""FileClaims of files that an earlier stage wrote and this stage reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.engine.receipts import claim
from pipeline.engine.rows_writer import Output
from pipeline.storage.digests import rows_digest_of_file, sha256_of_file


def input_claims(
    workspace: Path, streams: Iterable[str], *files: Callable[[str], PurePosixPath]
) -> list[dict[str, Any]]:
    """Claims of each stream's files that exist, e.g. with ``paths.evidence_file``. Raises OSError."""
    claims = []
    for file_of in files:
        for stream in streams:
            relative = str(file_of(stream))
            path = workspace / relative
            if not path.exists():
                continue
            rows, rows_digest = rows_digest_of_file(path)
            claims.append(
                claim(
                    Output(
                        relative=relative,
                        staged=None,
                        bytes=path.stat().st_size,
                        rows=rows,
                        sha256=sha256_of_file(path),
                        rows_digest=rows_digest,
                        plan_digest=rows_digest,
                    )
                )
            )
    return claims
