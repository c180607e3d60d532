"""Writes train_result.json in the published shape: which files a run left, and how good they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pdx_core.errors import WeightsError
from pdx_core.files import write_json
from pdx_core.train import checkpoint, run_folder

_LISTED = 5  # last_1 (newest) to last_5


def write_train_result(run: Path, model_name: str, visualdl: str = "", failure: BaseException | None = None) -> dict:
    """Write and return the result; paths are relative to the run folder, and "" where there is no such file.

    failure: why the run did not finish; `done_flag` is then false and the files listed are those saved before
    """
    result: dict[str, Any] = {
        "model_name": model_name,
        "label_dict": run_folder.LABELS,
        "train_log": run_folder.LOG,
        "visualdl_log": visualdl,
        "config": run_folder.CONFIG,
        "models": {},
        "done_flag": failure is None,
    }
    if failure is not None:
        result["err_type"] = type(failure).__name__
        result["err_msg"] = str(failure)
    kept = checkpoint.kept(run)
    for number in range(1, _LISTED + 1):
        result["models"][f"last_{number}"] = _entry(run, kept[number - 1] if number <= len(kept) else None)
    best = run / checkpoint.BEST
    result["models"]["best"] = _entry(run, best if best.is_dir() else None, best=True)
    write_json(run / run_folder.RESULT, result)
    return result


def _entry(run: Path, folder: Path | None, best: bool = False) -> dict[str, Any]:
    entry: dict[str, Any] = {"score": ""}
    if folder is not None:
        try:
            state = checkpoint.state_of(folder)
            score = state.best_score if best else state.last_score
            entry["score"] = "" if score is None else score
        except WeightsError:
            folder = None  # damaged; a resumed run passes it over too
    for suffix in ("pdparams", "pdema", "pdopt", "pdstates"):
        entry[suffix] = _relative(run, folder, f"*.{suffix}")
    inference = folder / "inference" if folder is not None else None
    entry["inference_config"] = _relative(run, inference, "inference.yml")
    entry["pdmodel"] = _relative(run, inference, "inference.pdmodel") or _relative(run, inference, "inference.json")
    entry["pdiparams"] = _relative(run, inference, "inference.pdiparams")
    entry["pdiparams.info"] = _relative(run, inference, "inference.pdiparams.info")
    return entry


def _relative(run: Path, folder: Path | None, pattern: str) -> str:
    found = sorted(folder.glob(pattern)) if folder is not None and folder.is_dir() else []
    return found[0].relative_to(run).as_posix() if found else ""
