"""What leaving as a file costs at least, in a process of its own: every row by COPY, or by xlsxwriter from a cursor.

``python -m bench.limits copy|xlsx URL`` prints seconds, bytes of memory and rows.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import xlsxwriter

from bench.rivals.bare import EVERY

_QUERY = EVERY.replace(":group_id", "1")


def copy(connection: Any, target: Path) -> int:
    """Write the rows as CSV, as PostgreSQL does it; return their number."""
    with target.open("wb") as file, connection.cursor().copy(f"COPY ({_QUERY}) TO STDOUT (FORMAT csv)") as lines:
        for line in lines:
            file.write(line)
    return _lines(target)


def xlsx(connection: Any, target: Path) -> int:
    """Write the rows as a workbook in constant memory; return their number."""
    workbook = xlsxwriter.Workbook(str(target), {"constant_memory": True})
    sheet, day = workbook.add_worksheet(), workbook.add_format({"num_format": "dd/mm/yyyy hh:mm"})
    cursor, number = connection.cursor("every"), 0
    cursor.itersize = 5_000
    for number, row in enumerate(cursor.execute(_QUERY), start=1):
        for place, value in enumerate(row[2:]):
            if isinstance(value, str):
                sheet.write_string(number, place, value)
            elif value is not None:
                sheet.write_datetime(number, place, value.replace(tzinfo=None), day)
    workbook.close()
    return number


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def _peak() -> int:
    # Not the operating system's own figure, which begins with what the process was started from.
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


if __name__ == "__main__":
    kind, url = sys.argv[1:]
    with tempfile.NamedTemporaryFile() as taken, psycopg.connect(url) as opened:
        began = time.perf_counter()
        rows = {"copy": copy, "xlsx": xlsx}[kind](opened, Path(taken.name))
        seconds = time.perf_counter() - began
    print(seconds, _peak(), rows)
