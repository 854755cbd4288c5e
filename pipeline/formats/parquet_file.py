"""Rows as Parquet with a written schema: types do not depend on which row comes first.

pyarrow is imported by the first file: it takes longer than all of the engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson

from pipeline.formats.format import FLAG, JSON, JSON_TEXT, NUMBER, TEXT, Columns, Kind, Row
from pipeline.formats.sources import Claim
from pipeline.platform import disk

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 1000
_BUFFER_BYTES = 1 << 20
_SIMPLE = {TEXT: "string", JSON_TEXT: "string", NUMBER: "float64", FLAG: "bool_"}


def schema_of(columns: Columns) -> pa.Schema:
    """The Arrow schema; ``JSON`` is the extension type that ``datasets`` gives back as objects."""
    import pyarrow as pa

    return pa.schema([(name, _arrow_type(kind)) for name, kind in columns.items()])


class ParquetFile:
    """Writes rows to an open descriptor, and counts in ``claim`` what was written.

    The bytes are the same for the same rows and the same version of pyarrow. Raises OSError.
    """

    def __init__(self, descriptor: int, claim: Claim, columns: Columns) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self._columns = columns
        self._schema = schema_of(columns)
        self._claim = claim
        self._pending: list[Row] = []
        self._sink = _Sink(descriptor, claim)
        self._writer = parquet.ParquetWriter(pa.PythonFile(self._sink, mode="w"), self._schema)

    def write(self, row: Row) -> None:
        self._pending.append(row)
        self._claim.rows += 1
        if len(self._pending) >= _BATCH_ROWS:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()
        self._sink.hand_on()

    def abandon(self) -> None:
        """End without another byte: pyarrow would write the end of the file when it forgets the writer."""
        self._sink.is_abandoned = True
        self._writer.close()

    def _flush(self) -> None:
        if not self._pending:
            return
        import pyarrow as pa

        arrays = [
            _array([row.get(name) for row in self._pending], kind) for name, kind in self._columns.items()
        ]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
        self._pending = []


class _Sink:
    """What pyarrow writes to, in small pieces: bytes in order, never gone back over."""

    closed = False

    def __init__(self, descriptor: int, claim: Claim) -> None:
        self.is_abandoned = False
        self._descriptor = descriptor
        self._claim = claim
        self._pending = bytearray()

    def write(self, data: Any) -> int:
        if not self.is_abandoned:
            piece = bytes(data)
            self._claim.take(piece, rows=0)
            self._pending += piece
            if len(self._pending) >= _BUFFER_BYTES:
                self.hand_on()
        return len(data)

    def hand_on(self) -> None:
        disk.write_all(self._descriptor, memoryview(self._pending))
        self._pending = bytearray()

    def tell(self) -> int:
        return self._claim.size

    def flush(self) -> None:
        """Nothing is held back here."""

    def close(self) -> None:
        """The descriptor is its owner's."""


def _arrow_type(kind: Kind) -> pa.DataType:
    import pyarrow as pa

    if isinstance(kind, dict):
        return pa.struct([(name, _arrow_type(member)) for name, member in kind.items()])
    if isinstance(kind, list):
        return pa.list_(_arrow_type(kind[0]))
    return pa.json_() if kind == JSON else getattr(pa, _SIMPLE[kind])()


def _array(values: Iterable[Any], kind: Kind) -> pa.Array:
    """One column. JSON stands in a column by itself or in a list that is one."""
    import pyarrow as pa

    stored = [_stored(value, kind) for value in values]
    if kind == JSON:
        return pa.ExtensionArray.from_storage(pa.json_(), pa.array(stored, pa.string()))
    if kind == [JSON]:
        texts = pa.array(stored, pa.list_(pa.string()))
        return pa.ListArray.from_arrays(
            texts.offsets, pa.ExtensionArray.from_storage(pa.json_(), texts.values), mask=texts.is_null()
        )
    return pa.array(stored, _arrow_type(kind))


def _stored(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if isinstance(kind, dict):
        return {name: _stored(value.get(name), member) for name, member in kind.items()}
    if isinstance(kind, list):
        return [_stored(member, kind[0]) for member in value]
    return orjson.dumps(value).decode() if kind in (JSON, JSON_TEXT) else value
