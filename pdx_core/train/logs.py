"""What a training tells: a bar or lines on stderr, train.log, log.csv, curves, and VisualDL when it is installed."""

from __future__ import annotations

import contextlib
import csv
import io
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from pdx_core.files import write_text
from pdx_core.progress import progress
from pdx_core.train import run_folder
from pdx_core.train.curves import NOT_CURVES, draw_curves

logger = logging.getLogger(__name__)

_LEADING = ("iteration", "epoch", "lr", "images_per_second", "loss")


class RunLog:
    """Records of one run, written by process 0 only; use as a context manager.

    folder:     the run folder
    total:      iterations of the whole run
    start:      iterations done before (resumed run); later lines of log.csv are dropped, they are computed again
    pending:    the evaluation at iteration `start` is done again
    """

    def __init__(self, folder: Path, total: int, start: int = 0, pending: bool = False) -> None:
        self.folder = folder
        self.total = total
        self.rows: list[dict[str, float]] = []
        self._loss_names: list[str] = []
        self._columns: list[str] = []
        self._bar: Any = None
        self._level = logging.NOTSET
        self._start, self._begun = start, time.monotonic()
        self._handler = _log_file(folder / run_folder.LOG)
        self._scalars = _visualdl(folder / run_folder.VISUALDL)
        self._continue_table(start, pending)

    def __enter__(self) -> RunLog:
        package = logging.getLogger("pdx_core")
        package.addHandler(self._handler)
        self._level = package.level
        if package.getEffectiveLevel() > logging.INFO:
            package.setLevel(logging.INFO)  # train.log is written even when a program shows warnings only
        self._bar = progress(total=self.total, label="train", unit="it")
        self._bar.update(self._start)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
        if error is not None:
            self._note(f"ended: {kind.__name__ if kind else ''}: {error}")
        package = logging.getLogger("pdx_core")
        package.removeHandler(self._handler)
        package.setLevel(self._level)
        with contextlib.suppress(OSError):  # a full disk; the error that ends the run says so
            self._handler.close()
        if self._scalars is not None:
            self._scalars.close()

    @property
    def visualdl_folder(self) -> str:
        """Where the VisualDL scalars are, relative to the run folder; "" without VisualDL."""
        return run_folder.VISUALDL if self._scalars is not None else ""

    def say(self, text: str) -> None:
        """A line for the reader, on stderr and in train.log."""
        from tqdm import tqdm

        with tqdm.external_write_mode(file=sys.stderr):
            logger.info(text)

    def _note(self, text: str) -> None:
        """A line for train.log only."""
        self._handler.emit(logging.LogRecord(__name__, logging.INFO, __file__, 0, text, None, None))

    def step(self, count: int = 1) -> None:
        """Move the bar."""
        self._bar.update(count)

    def interval(self, iteration: int, epoch: int, lr: float, losses: Mapping[str, float], speed: float) -> None:
        """One line of losses; `speed` in images per second over all processes."""
        self._loss_names = list(dict.fromkeys([*self._loss_names, *losses]))
        shown = {name: f"{value:.4f}" for name, value in losses.items()}
        self._bar.set_postfix({**shown, "lr": f"{lr:.3g}", "img/s": f"{speed:.1f}"}, refresh=False)
        left = (time.monotonic() - self._begun) / max(1, iteration - self._start) * (self.total - iteration)
        line = (
            f"epoch {epoch + 1} iteration {iteration}/{self.total} "
            + " ".join(f"{name} {value}" for name, value in shown.items())
            + f" lr {lr:.6g} {speed:.1f} images/s {_clock(left)} left"
        )
        if self._bar.disable:
            logger.info(line)
        else:  # the bar shows it already
            self._note(line)
        self._add({"iteration": iteration, "epoch": epoch, "lr": lr, "images_per_second": round(speed, 2), **losses})

    def evaluation(self, iteration: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """One line of metrics, and the curves drawn anew."""
        self._add({"iteration": iteration, "epoch": epoch, **metrics})
        draw_curves(self.rows, self._loss_names, self.folder / run_folder.CURVES)

    def _add(self, row: Mapping[str, float]) -> None:
        self.rows.append(dict(row))
        new = [name for name in row if name not in self._columns]
        if new or not (self.folder / run_folder.TABLE).exists():
            columns = [*self._columns, *new]
            self._columns = [name for name in _LEADING if name in columns]
            self._columns += [name for name in columns if name not in _LEADING]
            write_text(self.folder / run_folder.TABLE, _lines(self._columns, self.rows, header=True))
        else:
            with (self.folder / run_folder.TABLE).open("a", encoding="utf-8", newline="") as stream:
                stream.write(_lines(self._columns, [row], header=False))
        if self._scalars is not None:
            for name, value in row.items():
                if name not in ("iteration", "epoch"):
                    group = "train" if name in (*_LEADING, *self._loss_names) else "val"
                    self._scalars.add_scalar(tag=f"{group}/{name}", value=float(value), step=int(row["iteration"]))

    def _continue_table(self, start: int, pending: bool) -> None:
        path = self.folder / run_folder.TABLE
        if not path.exists():
            return
        if not start:
            path.unlink()
            return
        self._columns, rows = read_table(path)
        self.rows = [
            row
            for row in rows
            if row.get("iteration", start + 1) < start
            or (row.get("iteration") == start and ("lr" in row or not pending))
        ]
        trained = {name for row in self.rows if "lr" in row for name in row}
        self._loss_names = [name for name in self._columns if name in trained and name not in NOT_CURVES]
        write_text(path, _lines(self._columns, self.rows, header=True))


def read_table(path: Path) -> tuple[list[str], list[dict[str, float]]]:
    """Columns and rows of a log.csv; empty cells are left out, and so is a last line that is cut off."""
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        columns = next(reader, [])
        rows = []
        for cells in reader:
            if len(cells) == len(columns):
                try:
                    rows.append({name: _number(cell) for name, cell in zip(columns, cells, strict=True) if cell})
                except ValueError:
                    continue
    return columns, rows


def _lines(columns: Sequence[str], rows: Sequence[Mapping[str, float]], header: bool) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    if header:
        writer.writerow(columns)
    for row in rows:
        writer.writerow([row.get(name, "") for name in columns])
    return stream.getvalue()


def _number(cell: str) -> float:
    try:
        return int(cell)
    except ValueError:
        return float(cell)


class _LogFile(logging.FileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing: when the disk is full the next checkpoint says so, once and without a traceback."""


def _log_file(path: Path) -> logging.FileHandler:
    handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    handler.setLevel(logging.INFO)
    return handler


def _visualdl(folder: Path) -> Any:
    try:
        from visualdl import LogWriter
    except ImportError:
        return None
    return LogWriter(logdir=str(folder))


def _clock(seconds: float) -> str:
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
