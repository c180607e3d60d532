"""`PDX_TRACE=1`: one line on stderr for every plugin that is loaded and every hook that is called."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

VARIABLE = "PDX_TRACE"


class Trace:
    """Writes who was asked what, how many records came, how long it took and what went wrong.

        trace  det           loading                             14.21 ms
        trace  det           pdx_heads               9 records    0.31 ms
        trace  broken        loading                              0.52 ms  problem: ModuleNotFoundError: ...

    `problems` is the list of the registry, which grows while it is built.
    """

    def __init__(self, problems: Sequence[Any]) -> None:
        self._problems = problems
        self._on = os.environ.get(VARIABLE, "") not in ("", "0")

    @contextlib.contextmanager
    def step(self, plugin: str, stage: str, records: Sequence[Any] | None = None) -> Iterator[None]:
        """Time what happens inside; `records` is the list to which a hook's records are added."""
        if not self._on:
            yield
            return
        problems, count, started = len(self._problems), len(records or ()), time.perf_counter()
        try:
            yield
        finally:
            milliseconds = (time.perf_counter() - started) * 1000
            came = "" if records is None else f"{len(records) - count} records"
            found = "".join(
                f"  problem: {' '.join(problem.error.split())}" for problem in list(self._problems)[problems:]
            )
            sys.stderr.write(f"trace  {plugin:<13} {stage:<20} {came:>13} {milliseconds:>9.2f} ms{found}\n")
