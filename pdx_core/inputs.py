"""Turns what `predict` is given into single images: files, folders, patterns, URLs, arrays, videos, lists of these."""

from __future__ import annotations

import glob
import itertools
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from pdx_core.cache import is_url
from pdx_core.errors import DataError, PdxError, did_you_mean
from pdx_core.image_files import IMAGE_SUFFIXES, is_image_file, walk_images
from pdx_core.opencv import require_cv2

logger = logging.getLogger(__name__)

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv")

_MAX_IMAGE_BYTES = 64 << 20  # of one downloaded image
_array_numbers = itertools.count(1)  # arrays have no name of their own; the same one is never used twice in a process


@attrs.frozen(kw_only=True, eq=False)
class Input:
    """One image that is still to be read.

    name:        as the user would say it: path, URL, or "array_000001"
    named:       whether the user gave this very image, and not a folder or pattern that it was found with
    image:       uint8 [H, W, 3], RGB, for arrays and video frames
    data:        the bytes of an encoded image
    frame_index: from 0, for a video
    """

    name: str
    named: bool = True
    image: np.ndarray | None = attrs.field(default=None, repr=False)
    data: bytes | None = attrs.field(default=None, repr=False)
    frame_index: int | None = None

    @property
    def is_file(self) -> bool:
        """Whether the image can be read again from a local file called `name`."""
        return self.image is None and self.data is None and not is_url(self.name)

    def load(self, max_megapixels: float | None) -> np.ndarray:
        """The decoded image, uint8 [H, W, 3], RGB. Raises DataError."""
        if self.image is not None:
            return self.image
        from pdx_core.images import read_image

        source: str | bytes = self.name
        if self.data is not None:
            source = self.data
        elif is_url(self.name):
            from pdx_core.downloads import read_url

            source = read_url(self.name, max_bytes=_MAX_IMAGE_BYTES)
        try:
            return read_image(source, max_megapixels=max_megapixels)
        except DataError as error:
            if isinstance(source, bytes):
                raise DataError(f"{self.name}: {error}") from error
            raise


def check_input(source: Any, *, allow_urls: bool = True) -> None:
    """Raise PdxError at once for what `expand` could not use, as far as that is known without reading images.

    Nothing is ever downloaded because a path is wrong.
    """
    if isinstance(source, str | os.PathLike):
        _check_path(os.fspath(source), allow_urls)
    elif isinstance(source, list | tuple):
        if not source:
            raise PdxError("the list of inputs is empty")
        for item in source:
            check_input(item, allow_urls=allow_urls)
    elif isinstance(source, np.ndarray):
        _array_to_rgb(source)
    elif not isinstance(source, bytes | Iterator) and not _is_pillow(source):
        raise PdxError(
            f"cannot predict on {type(source).__name__}; give a path, URL, folder, pattern, array [H, W, 3] "
            "(blue, green, red, as cv2.imread returns it), Pillow image, or a list of these"
        )


def expand(source: Any, *, allow_urls: bool = True) -> Iterator[Input]:
    """The single images of `source`, in order; folders recursively and sorted by name.

    An array is uint8 [H, W, 3] in the order blue, green, red, as cv2.imread and PaddleX have it; [H, W] is grey and
    [H, W, 4] loses its transparency. Raises PdxError or DataError for what cannot be used.
    """
    if isinstance(source, str | os.PathLike):
        yield from _expand_path(os.fspath(source), allow_urls)
    elif isinstance(source, np.ndarray):
        yield Input(name=_array_name(), image=_array_to_rgb(source))
    elif isinstance(source, bytes):
        yield Input(name=_array_name(), data=source)
    elif _is_pillow(source):
        yield Input(name=_array_name(), image=np.asarray(source.convert("RGB")))
    elif isinstance(source, list | tuple | Iterator):
        if isinstance(source, list | tuple) and not source:
            check_input(source)
        for item in source:
            yield from expand(item, allow_urls=allow_urls)
    else:
        check_input(source)


def _expand_path(path: str, allow_urls: bool) -> Iterator[Input]:
    _check_path(path, allow_urls)
    if is_url(path):
        yield Input(name=path)
    elif os.path.isdir(path):  # noqa: PTH112 - the text is what the user wrote and what results show
        for file in walk_images(Path(path)):
            yield Input(name=str(file), named=False)
    elif os.path.isfile(path):  # noqa: PTH113
        yield from _expand_file(path, named=True)
    else:
        for file in _matches(path):
            yield from _expand_file(file, named=False)


def _expand_file(path: str, named: bool) -> Iterator[Input]:
    if path.lower().endswith(VIDEO_SUFFIXES):
        yield from _frames(path, named)
    else:
        yield Input(name=path, named=named)


def _frames(path: str, named: bool) -> Iterator[Input]:
    """The frames of a video, decoded one by one: memory does not grow with its length."""
    cv2 = require_cv2()
    video = cv2.VideoCapture(path)
    try:
        if not video.isOpened():
            raise DataError(f"{path}: cannot be read as a video; OpenCV knows no decoder for it, or it is damaged")
        for index in itertools.count():
            good, frame = video.read()
            if not good:
                break
            yield Input(name=path, named=named, image=cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), frame_index=index)
        if index == 0:
            raise DataError(f"{path}: the video holds no frame that can be decoded")
        promised = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        if promised > index + 1:  # the count is an estimate; more than one missing frame is worth a word
            logger.warning("%s: %d of %d frames could be read; the file may be cut off", path, index, promised)
    finally:
        video.release()


def _check_path(path: str, allow_urls: bool) -> None:
    if is_url(path):
        if not allow_urls:
            raise PdxError(f"URLs are switched off here, got {path!r}; send the image itself")
        if not path.lower().startswith(("http://", "https://")):
            raise PdxError(f"{path!r}: only http and https addresses are read")
        return
    if path.lower().endswith(".pdf"):
        raise PdxError(
            f"{path}: PDF pages are not read; turn them into images first, for example: pdftoppm -r 150 -png"
        )
    if os.path.isdir(path):  # noqa: PTH112
        if next(walk_images(Path(path)), None) is None:
            raise PdxError(f"no image in {path} or below it; looked for {' '.join(IMAGE_SUFFIXES)}")
    elif not os.path.exists(path):  # noqa: PTH110
        if glob.has_magic(path):
            if not _matches(path):
                raise PdxError(f"no image or video matches {path!r}")
            return
        raise PdxError(f"no such file or folder: {path or repr(path)}.{_near_file(path)}")


def _matches(pattern: str) -> list[str]:
    return sorted(
        path
        for path in glob.glob(pattern, recursive=True)  # noqa: PTH207 - keeps the spelling of the pattern
        if is_image_file(path) or path.lower().endswith(VIDEO_SUFFIXES)
    )


def _near_file(path: str) -> str:
    """A suggestion out of the deepest folder of `path` that exists."""
    given = Path(path)
    for parent in given.parents:
        if parent.is_dir():
            part = given.relative_to(parent).parts[0] if parent != Path() else given.parts[0]
            try:
                return did_you_mean(part, (entry.name for entry in itertools.islice(parent.iterdir(), 2000)))
            except OSError:
                return ""
    return ""


def _array_to_rgb(array: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3] in RGB from [H, W], [H, W, 1], [H, W, 3] BGR or [H, W, 4] BGRA."""
    shape = array.shape
    if array.dtype != np.uint8:
        raise DataError(
            f"an image array must be uint8 with values 0..255, got {array.dtype}; "
            "multiply values of 0..1 by 255 and use .astype('uint8')"
        )
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and shape[2] in (1, 3, 4))):
        advice = "; give the images of a batch as a list" if array.ndim == 4 else ""
        raise DataError(f"an image array must be [H, W, 3] or [H, W], got shape {list(shape)}{advice}")
    if array.ndim == 2 or shape[2] == 1:
        return np.repeat(array.reshape(*shape[:2], 1), 3, axis=2)
    return np.ascontiguousarray(array[..., 2::-1])


def _array_name() -> str:
    return f"array_{next(_array_numbers):06d}"


def _is_pillow(source: Any) -> bool:
    """Without importing Pillow for those who do not use it."""
    return type(source).__module__.startswith("PIL.") and hasattr(source, "convert")
