"""Checks a dataset before it is trained on, and leaves a report."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from pdx_core.data.findings import Findings
from pdx_core.data.reading import Format, dataset_folder, recognise
from pdx_core.errors import ConfigError, DataError
from pdx_core.files import write_json
from pdx_core.specs import import_target

if TYPE_CHECKING:
    from pdx_core.config import Resolved
    from pdx_core.settings import Component

logger = logging.getLogger(__name__)

RESULT_NAME = "check_dataset_result.json"
FINDINGS_NAME = "findings.json"


@attrs.frozen
class CheckSettings:
    """splits: those that have to be there and are looked at; options: of the reader, see `ReaderSpec.options`."""

    splits: tuple[str, ...] = ("train", "val")
    max_megapixels: float | None = 100.0
    options: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class CheckReport:
    """result: what is in check_dataset_result.json; findings: what is in findings.json."""

    passed: bool
    result: dict[str, Any]
    findings: Findings
    output: Path

    def text(self) -> str:
        """The findings as a table, and where all of them are."""
        lines = [] if self.passed else ["Check dataset failed !"]
        if len(self.findings):
            lines.append(self.findings.table())
        lines.append(f"{self.findings.summary()}; the full list is {self.output / FINDINGS_NAME}")
        return "\n".join(lines)


def run_check(resolved: Resolved) -> dict[str, Any]:
    """Convert and split as configured, then check; returns the result and raises DataError when the check fails.

    The user's folder is not written to: converted files and new lists go to `<output>/dataset`.
    """
    config = resolved.config
    folder, output = dataset_folder(config.global_.dataset_dir), Path(config.global_.output)
    reader, task = config.data.reader, resolved.spec.task
    if config.check_dataset.convert.enable:
        from pdx_core.data.convert import convert_for_task

        folder = convert_for_task(folder, task, config.check_dataset.convert.src_dataset_type, output / "dataset")
        reader = None
    split = config.check_dataset.split
    if split.enable:
        from pdx_core.data.split import split_dataset

        target = output / "dataset"
        found = recognise(folder, reader, task)
        in_place = found.root.resolve() == target.resolve()  # a copy of ours, made by the conversion
        report = split_dataset(
            found, None if in_place else target, split.train_percent, split.val_percent, config.global_.seed
        )
        folder, reader = report.folder, None
    report = check_dataset(
        folder,
        output,
        task=task,
        reader=reader,
        settings=CheckSettings(max_megapixels=config.data.max_megapixels),
    )
    if not report.passed:
        raise DataError(report.text())
    if report.findings.warning_count:
        logger.warning("%s", report.findings.table())
    return report.result


def check_dataset(
    folder: str | os.PathLike,
    output: str | os.PathLike,
    *,
    task: str | None = None,
    reader: Component | None = None,
    settings: CheckSettings | None = None,
    options: Mapping[str, str] | None = None,
) -> CheckReport:
    """Look at every file of a dataset and write check_dataset_result.json, findings.json and pictures below `output`.

    Bad data does not raise: it is in the report, and in the files. A folder that cannot be recognised raises DataError
    after the result file says so. options: of the reader, as in `reading.recognise`.
    """
    output, findings = Path(output), Findings()
    # First of all: a folder that cannot be written to is noticed now, and a check that is killed has not passed.
    write_json(output / RESULT_NAME, {"done_flag": False, "check_pass": False, "err_msg": "the check did not finish"})
    try:
        found = recognise(folder, reader, task, options)
    except DataError as error:
        findings.add("layout", str(error), file=os.fspath(folder))
        _write(output, _failed(os.fspath(folder), "", findings), findings)
        raise
    checker = _checker(found, settings or CheckSettings())
    checker.check(findings)
    if findings.error_count:
        result = _failed(os.fspath(folder), checker.dataset_type, findings)
    else:
        attributes = checker.attributes(output)
        result = {
            "done_flag": True,
            "check_pass": True,
            "attributes": attributes,
            "analysis": {"histogram": "check_dataset/histogram.png"},
            "dataset_path": os.fspath(folder),
            "show_type": "image",
            "dataset_type": checker.dataset_type,
        }
        logger.info("Check dataset passed !")
    _write(output, result, findings)
    return CheckReport(not findings.error_count, result, findings, output)


def _checker(found: Format, settings: CheckSettings) -> Any:
    if getattr(found.spec, "checker", None) is None:
        raise ConfigError(f"the reader {found.spec.name} has no checker, so its datasets cannot be checked")
    return import_target(found.spec.checker)(found.root, attrs.evolve(settings, options=found.options))


def _failed(folder: str, dataset_type: str, findings: Findings) -> dict[str, Any]:
    return {
        "done_flag": False,
        "check_pass": False,
        "err_type": "CheckFailedError",
        "err_msg": findings.table(),
        "dataset_path": folder,
        "show_type": "image",
        "dataset_type": dataset_type,
    }


def _write(output: Path, result: dict[str, Any], findings: Findings) -> None:
    write_json(output / RESULT_NAME, result)
    write_json(output / FINDINGS_NAME, findings.to_json())
