"""Progress bars on stderr, silent when stderr is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any


def progress(
    items: Iterable[Any] | None = None,
    *,
    total: int | None = None,
    label: str = "",
    unit: str = "it",
    delay_seconds: float = 0.0,
) -> Any:
    """A tqdm bar over `items`, or one to be moved with `.update(n)` when `items` is None.

    delay_seconds: nothing is shown of work that is done by then
    """
    from tqdm import tqdm

    return tqdm(
        items,
        total=total,
        desc=label,
        unit=unit,
        delay=delay_seconds,
        file=sys.stderr,
        disable=None,
        dynamic_ncols=True,
        leave=False,
    )
