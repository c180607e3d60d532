"""What a reader owes the loader: the same samples whenever and from whichever thread, and errors that name the file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from pdx_core.errors import PdxError
from pdx_core.images import IMAGE_SUFFIXES
from pdx_core.specs import ReaderSpec, import_target
from pdx_core.testing.checks import NotCheckable, fail
from pdx_core.testing.examples import reader_example
from pdx_core.testing.samples import require_complete

_THREADS = 4


def detection_knows_its_own_layout(spec: ReaderSpec) -> None:
    """`detect` accepts a dataset of this format and refuses an empty folder."""
    if not spec.layout:
        fail("the record has no layout", 'say in one sentence which files are expected: layout="..."')
    if spec.detect is None:
        fail("the record has no detect", 'name a light function (Path) -> bool: detect="package.readers_light:is_mine"')
    detect = import_target(spec.detect)
    folder = reader_example(spec)
    if not detect(folder):
        fail(
            f"{spec.detect} does not recognise the example of the format",
            "look for the files that the layout names, in the folder itself",
        )
    empty = folder / "an empty folder"
    empty.mkdir()
    if detect(empty):
        fail(f"{spec.detect} takes an empty folder for a dataset", "return False where the files are missing")


def splits_can_be_opened(spec: ReaderSpec) -> None:
    """`target(root, split)` for "train" and "val": samples in both, the same classes."""
    folder = reader_example(spec)
    train, val = (_open(spec, folder, split) for split in ("train", "val"))
    for split, reader in (("train", train), ("val", val)):
        if not len(reader):
            fail(f"the {split} split of the example is empty", "write a sample of each split, or correct the reader")
    classes = train.classes
    if not isinstance(classes, tuple) or not classes or not all(isinstance(name, str) for name in classes):
        fail(f"classes is {classes!r}", "set self.classes to a tuple of names, index = class id")
    if classes != val.classes:
        fail(
            f"train has the classes {classes} and val {val.classes}",
            "give the classes of the whole dataset in both splits: they decide what a class id means",
        )


def samples_are_complete(spec: ReaderSpec) -> None:
    """Each has an RGB image, its file, its size and a truth that fits them."""
    reader = _open(spec, reader_example(spec), "train")
    for index in range(len(reader)):
        require_complete(reader[index], len(reader.classes), index)


def reading_is_deterministic_and_safe_in_threads(spec: ReaderSpec) -> None:
    """Several threads reading at once get what one thread gets, each time."""
    reader = _open(spec, reader_example(spec), "train")
    order = list(range(len(reader)))
    serial = [reader[index] for index in order]
    with ThreadPoolExecutor(_THREADS) as pool:
        parallel = list(pool.map(reader.__getitem__, order * _THREADS))
    for index, sample in zip(order * _THREADS, parallel, strict=True):
        if not same(serial[index], sample):
            fail(
                f"sample {index} differs when it is read again from another thread",
                "draw no random numbers in a reader, share no open file or buffer between calls, and never change what "
                "was returned before",
            )


def dataset_is_left_untouched(spec: ReaderSpec) -> None:
    folder = reader_example(spec)
    before = _listing(folder)
    reader = _open(spec, folder, "train")
    reader[0]
    changed = sorted(set(_listing(folder).items()) ^ set(before.items()))
    if changed:
        fail(f"reading changed {changed[0][0]}", "never write below the dataset's folder; keep caches in memory")


def damaged_images_are_named(spec: ReaderSpec) -> None:
    """A file that holds no image raises a DataError with its name."""
    folder = reader_example(spec)
    pictures = [path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES]
    if not pictures:
        raise NotCheckable("the example has no image files to damage")
    for path in pictures:
        path.write_bytes(b"this is no image")
    try:
        _open(spec, folder, "train")[0]
    except PdxError as error:
        if not any(path.name in str(error) for path in pictures):
            fail(f"the message names no file: {error}", "say which file it is: read with pdx_core.images.read_image")
        return
    except Exception as error:  # noqa: BLE001 - whatever the author's code raises is what is judged
        fail(
            f"a damaged image raises {type(error).__name__}: {error}",
            "read with pdx_core.images.read_image, or raise pdx_core.errors.DataError with the file's name",
        )
    fail("a damaged image is read without complaint", "raise pdx_core.errors.DataError that names the file")


def checker_accepts_the_example(spec: ReaderSpec) -> None:
    """`pdx check` finds no error in the example of the format."""
    from pdx_core.data.check import CheckSettings
    from pdx_core.data.findings import Findings

    if spec.checker is None:
        raise NotCheckable("the record names no checker, so `pdx check` and `pdx split` do not take this format")
    findings = Findings()
    checker = import_target(spec.checker)(reader_example(spec), CheckSettings())
    checker.check(findings)
    if findings.error_count:
        fail(f"the checker finds fault with the example: {findings.errors[0]}", "correct the checker or the example")
    if not isinstance(getattr(checker, "dataset_type", None), str):
        fail("the checker has no dataset_type", 'set the class attribute dataset_type = "MyDataset"')


def same(first: Any, second: Any) -> bool:
    """Whether two samples, or parts of samples, hold the same."""
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        first, second = np.asarray(first), np.asarray(second)
        floats = first.dtype.kind == second.dtype.kind == "f"  # of which NaN may say that something is not known
        return np.array_equal(first, second, equal_nan=floats)
    if attrs.has(type(first)) and type(first) is type(second):
        names = [field.name for field in attrs.fields(type(first))]
        return all(same(getattr(first, name), getattr(second, name)) for name in names)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    return first == second


def _open(spec: ReaderSpec, folder: Path, split: str) -> Any:
    return spec.load()(folder, split, **spec.arguments)


def _listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and time of change."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


CHECKS = (
    detection_knows_its_own_layout,
    splits_can_be_opened,
    samples_are_complete,
    reading_is_deterministic_and_safe_in_threads,
    dataset_is_left_untouched,
    damaged_images_are_named,
    checker_accepts_the_example,
)
