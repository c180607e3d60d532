"""Looks at every image of a dataset, with a few threads: is it whole, how large is it, has it been seen before."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs

from pdx_core.data.findings import Findings
from pdx_core.errors import fold_name
from pdx_core.image_headers import ImageError
from pdx_core.images import check_image, read_file_bytes
from pdx_core.opencv import require_cv2
from pdx_core.progress import progress

_THREADS = 4  # decoding uses the cores, reading waits for the disk


@attrs.frozen
class ImageFacts:
    """Of one readable image. digest: of the file's bytes; width and height: as stored, before EXIF rotation."""

    digest: bytes
    width: int
    height: int


def check_images(
    images: Mapping[str, tuple[Path, str, str]], findings: Findings, max_megapixels: float | None
) -> dict[str, ImageFacts]:
    """Read and decode every image; each that cannot be used becomes a finding.

    images:  name -> (path, file that lists it, place in that file); the name is the one users know
    returns: what was learned, for the readable ones
    """
    require_cv2().setNumThreads(1)
    _folded_names.cache_clear()

    def look(item: tuple[str, tuple[Path, str, str]]) -> tuple[str, ImageFacts | None]:
        name, (path, source, place) = item
        try:
            data = read_file_bytes(path)
            header = check_image(data, max_megapixels=max_megapixels)
        except ImageError as error:
            _record(error, name, path, source, place, findings)
            return name, None
        return name, ImageFacts(hashlib.blake2b(data, digest_size=16).digest(), header.width, header.height)

    facts: dict[str, ImageFacts] = {}
    with ThreadPoolExecutor(_THREADS) as pool, progress(total=len(images), label="images", unit="img") as bar:
        for name, fact in pool.map(look, images.items()):
            if fact is not None:
                facts[name] = fact
            bar.update(1)
    return facts


def report_duplicates(
    facts: Mapping[str, ImageFacts],
    splits: Mapping[str, Sequence[tuple[str, str, str]]],
    findings: Findings,
    class_of: Callable[[str], object] | None = None,
) -> None:
    """Warn of photos that occur in two splits, or twice in one split with different classes, judged by their bytes.

    splits:   split -> (name, file that lists it, place in that file) of its images
    class_of: name -> what must agree between copies
    """
    seen: dict[bytes, tuple[str, str]] = {}
    for split, items in splits.items():
        for name, source, place in items:
            fact = facts.get(name)
            if fact is None:
                continue
            first_split, first = seen.setdefault(fact.digest, (split, name))
            if first_split != split:
                message = (
                    f"is the same photo as {first} in {first_split}" if name != first else f"is in {first_split} too"
                )
                findings.warn(
                    "same-image-in-two-splits",
                    f"{name} {message}",
                    file=source,
                    location=place,
                    value=name,
                    fix="remove one of them: it makes the score look better than it is",
                )
            elif name != first and class_of is not None and class_of(name) != class_of(first):
                findings.warn(
                    "same-image-two-classes",
                    f"{name} is the same photo as {first}, but of another class",
                    file=source,
                    location=place,
                    value=name,
                    fix="keep the right one",
                )


def _record(error: ImageError, name: str, path: Path, source: str, place: str, findings: Findings) -> None:
    message, fix = str(error).removeprefix("image data: "), ""
    if error.code == "image-missing":
        message = f"{name} {what_is_missing(path)}"
        near = near_name(path)
        hint = f"there is {near!r}; " if near else ""
        fix = f"{hint}correct the path or remove the line"
    elif "; " in message:
        message, _, fix = message.partition("; ")
    findings.add(error.code, message, file=source or name, location=place, value=name, fix=fix)


def near_name(path: Path) -> str | None:
    """A file beside the one that is missing whose name differs in case, or in `-_.`, only."""
    near = _folded_names(path.parent).get(fold_name(path.name))
    return near if near != path.name else None


def what_is_missing(path: Path) -> str:
    """What to say of a path where there should be a file."""
    return "is a folder, not a file" if path.is_dir() else "does not exist"


@functools.lru_cache(maxsize=32)
def _folded_names(folder: Path) -> dict[str, str]:
    """What is in a folder, by names without case: the usual reason why a file "is missing" on another system."""
    try:
        return {fold_name(child.name): child.name for child in folder.iterdir()}
    except OSError:
        return {}
