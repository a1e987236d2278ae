"""Parquet: the tidy table with stable types, for data frames and Hugging Face datasets."""

from __future__ import annotations

import io
from collections.abc import Sequence

from ...discussion import DiscussionRecord
from ..inputs import InputError
from .table import table_columns, table_rows

ROWS_AT_ONCE = 20_000
"""Rows of one row group."""


def as_parquet(records: Sequence[DiscussionRecord]) -> bytes:
    """The table of ``table_rows`` as a Parquet file: strings, 64-bit numbers, booleans.

    Empty columns have their type too. A lone surrogate in a text becomes a question mark, and a
    whole number beyond 64 bits is left out (None).

    Raises:
        InputError: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise InputError(
            "Parquet needs pyarrow, which is not installed: pip install 'syndisco-tui[parquet]'"
        ) from None
    types = {
        str: pyarrow.string(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        bool: pyarrow.bool_(),
    }
    columns = table_columns(records)
    schema = pyarrow.schema([(name, types[kind]) for name, kind in columns.items()])
    content = io.BytesIO()
    with parquet.ParquetWriter(content, schema, compression="zstd") as writer:
        rows: list[dict[str, object]] = []
        for row in table_rows(records):
            rows.append({name: _storable(value) for name, value in row.items()})
            if len(rows) == ROWS_AT_ONCE:
                writer.write_table(pyarrow.Table.from_pylist(rows, schema))
                rows = []
        writer.write_table(pyarrow.Table.from_pylist(rows, schema))
    return content.getvalue()


def _storable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", errors="replace").decode("utf-8")
    if isinstance(value, int) and value.bit_length() > 63:
        return None
    return value
