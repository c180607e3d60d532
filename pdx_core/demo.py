"""`pdx demo`: from nothing to a trained, evaluated, exported and looked-at model, without a download."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from pdx_core.errors import PdxError
from pdx_core.specs import TaskSpec, import_target

logger = logging.getLogger(__name__)

_MARKER = ".pdx-demo"  # says that a folder was made by an earlier demo and may be replaced


@attrs.frozen(kw_only=True)
class Demo:
    """What a task shows: `TaskSpec.demo` names one of these in a light module.

    draw: "package.module:function", called with a folder, writes a small dataset there
    goal: name of a metric and the value the demo is expected to pass
    """

    model: str
    draw: str
    goal: tuple[str, float]
    overrides: tuple[str, ...] = ()


def draw_demo(task: TaskSpec, output: Path, say: Callable[[str], None] = logger.info) -> Path:
    """Draw the dataset of a task's demo below `output` and return its folder; raises PdxError like `run_demo`."""
    demo = _demo_of(task)
    _prepare(output)
    with _step("draw a dataset", say):
        import_target(demo.draw)(output / "dataset")
    return output / "dataset"


def run_demo(task: TaskSpec, output: Path, device: str = "auto", say: Callable[[str], None] = logger.info) -> dict:
    """Draw a dataset, check it, train on it, evaluate, and predict with the exported model.

    returns: {"metrics": ..., "goal": ..., "passed": bool, "seconds": float, "pictures": folder, "curves": file}
    Raises PdxError when the task has no demo or `output` holds something that is not a demo's.
    """
    demo = _demo_of(task)
    started = time.monotonic()
    dataset, run = draw_demo(task, output, say), output / "run"

    def resolved(mode: str, *extra: str) -> Any:
        from pdx_core.config import resolve

        flags = {
            "Global.mode": mode,
            "Global.dataset_dir": str(dataset),
            "Global.output": str(run),
            "Global.device": device,
        }
        return resolve(demo.model, flags=flags, overrides=(*demo.overrides, *extra))

    with _step("check it", say):
        from pdx_core.data.check import run_check

        run_check(resolved("check_dataset"))
    with _step(f"train {demo.model}", say):
        from pdx_core.train.run import train

        train(resolved("train"))
    with _step("evaluate", say):
        from pdx_core.train.run import evaluate

        metrics = evaluate(resolved("evaluate"))["metrics"]
    pictures = output / "predictions"
    with _step("predict with the exported model", say):
        _predict(run / "best_model" / "inference", dataset, pictures)
    name, wanted = demo.goal
    return {
        "metrics": metrics,
        "goal": {name: wanted},
        "passed": metrics[name] >= wanted,
        "seconds": round(time.monotonic() - started, 1),
        "pictures": pictures,
        "overview": pictures / "overview.png",
        "run": run,
    }


def _demo_of(task: TaskSpec) -> Demo:
    if task.demo is None:
        raise PdxError(f"task {task.name!r} has no demo")
    return import_target(task.demo)


def _predict(model_dir: Path, dataset: Path, pictures: Path, count: int = 12) -> None:
    from pdx_core import create_model
    from pdx_core.images import IMAGE_SUFFIXES

    held_out = sorted(path for path in (dataset / "val").rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    chosen = held_out[:: max(1, len(held_out) // count)][:count]
    drawn = []
    for result in create_model(model_dir=str(model_dir)).predict([str(path) for path in chosen], batch_size=4):
        result.save_all(str(pictures))
        pictures_of = result.img
        drawn.append(pictures_of.get("overlay", pictures_of["res"]))
    _overview(drawn, pictures / "overview.png")


def _overview(drawn: list[Any], path: Path, columns: int = 4, side: int = 240) -> None:
    """All pictures on one sheet."""
    import numpy as np
    from PIL import Image, ImageOps

    rows = -(-len(drawn) // columns)
    sheet = Image.new("RGB", (columns * side, rows * side), "white")
    for index, picture in enumerate(drawn):
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(np.asarray(picture))
        image = ImageOps.contain(image.convert("RGB"), (side - 4, side - 4))
        left, top = (side - image.width) // 2, (side - image.height) // 2
        sheet.paste(image, (index % columns * side + left, index // columns * side + top))
    sheet.save(path)


def _prepare(output: Path) -> None:
    """Make `output` an empty folder; only what an earlier demo left is removed."""
    if output.exists() and any(output.iterdir()) and not (output / _MARKER).exists():
        raise PdxError(f"{output} exists and was not made by `pdx demo`; choose another folder with --output")
    try:
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True, exist_ok=True)
        (output / _MARKER).touch()
    except OSError as error:
        raise PdxError(f"cannot write to {output}: {error.strerror}; choose another folder with --output") from error


@contextmanager
def _step(title: str, say: Callable[[str], None]) -> Iterator[None]:
    started = time.monotonic()
    say(f"-- {title}")
    yield
    say(f"   done in {time.monotonic() - started:.1f} s")
