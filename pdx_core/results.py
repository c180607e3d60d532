"""What a model says about one image: printed, saved and drawn in the shape PaddleX publishes.

A task's Result is the base class with three things added: its fields, what stands in its JSON, and how it is drawn.
"""

from __future__ import annotations

import abc
import json
import logging
import os
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import attrs
import numpy as np

from pdx_core.drawing import draw_label, label_colour
from pdx_core.errors import PdxError
from pdx_core.files import atomic_write

if TYPE_CHECKING:
    from PIL.Image import Image

logger = logging.getLogger(__name__)

# Pillow writes these; anything else given to save_to_img is a folder
PICTURE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
_WITHOUT_PALETTE = frozenset({".jpeg", ".jpg", ".webp"})


@attrs.define(kw_only=True, eq=False)
class Result(abc.ABC):
    """What every task's result has.

    input_path:  the image as the user named it; "array_000001" and so on for an array
    page_index:  page of a document; None for images
    frame_index: number of the frame, from 0, when the input is a video; else None
    image:       uint8 [H, W, 3], RGB; None when `input_path` is a file, from which it is read again to draw on it
    """

    input_path: str = attrs.field(kw_only=False)
    page_index: int | None = None
    frame_index: int | None = None
    image: np.ndarray | None = attrs.field(default=None, repr=False)

    # -- what a task adds --------------------------------------------------------------------------------------------
    @abc.abstractmethod
    def content(self) -> dict[str, Any]:
        """The published fields of the task, in order, as numpy arrays and plain values."""

    @abc.abstractmethod
    def draw(self, image: np.ndarray) -> dict[str, np.ndarray | Image]:
        """Pictures by name ("res" is the main one); `image` is uint8 [H, W, 3], RGB, and must not be changed."""

    # -- what every task gets ----------------------------------------------------------------------------------------
    @property
    def head(self) -> dict[str, Any]:
        """The fields that say which input a result is of."""
        head: dict[str, Any] = {"input_path": self.input_path, "page_index": self.page_index}
        if self.frame_index is not None:
            head["frame_index"] = self.frame_index
        return head

    @property
    def fields(self) -> dict[str, Any]:
        """All published fields, input first."""
        return {**self.head, **self.content()}

    @property
    def shown(self) -> dict[str, Any]:
        """The fields as `print` shows them; a task shortens what nobody can read."""
        return self.fields

    def __getitem__(self, key: str) -> Any:
        """A published field by its name, as PaddleX's results allow."""
        return self.fields[key]

    @property
    def summary(self) -> str:
        """What stands behind the input's name in a line for people."""
        return json.dumps(plain(self.content()), ensure_ascii=False)

    @property
    def json(self) -> dict[str, Any]:
        """`{"res": {...}}` with plain Python values only."""
        return {"res": plain(self.fields)}

    @property
    def img(self) -> dict[str, Image]:
        """The drawn pictures by name, as Pillow images."""
        from PIL import Image

        drawn = self.draw(self.read_input())
        return {
            name: Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture
            for name, picture in drawn.items()
        }

    def __str__(self) -> str:
        # One line without "..." in the middle, digits as they are and not in powers of ten
        with np.printoptions(linewidth=sys.maxsize, threshold=1000, suppress=True):
            return str({"res": self.shown})

    def print(
        self,
        format_json: bool = True,
        indent: int = 4,
        ensure_ascii: bool = False,
        *,
        json_format: bool | None = None,
    ) -> None:
        """Write the result to stdout, as JSON or as Python shows it. `json_format` is PaddleX's other spelling."""
        as_json = format_json if json_format is None else json_format
        text = (
            json.dumps({"res": plain(self.shown)}, indent=indent, ensure_ascii=ensure_ascii) if as_json else str(self)
        )
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")

    def save_to_json(self, save_path: str | Path, indent: int = 4, ensure_ascii: bool = False) -> Path:
        """Write the fields (without the "res" around them) and return the file.

        save_path: a file when it ends in `.json`, else a folder, in which the file is named after the input
        """
        target = _target(self, save_path, frozenset({".json"}), "_res.json")
        with atomic_write(target, "w") as stream:
            self.write_json(stream, indent, ensure_ascii)
            stream.write("\n")
        return target

    def write_json(self, stream: IO[str], indent: int | None, ensure_ascii: bool) -> None:
        """Write what stands behind "res"; a task whose fields are large writes them piece by piece."""
        json.dump(self.json["res"], stream, indent=indent, ensure_ascii=ensure_ascii)

    def save_to_img(self, save_path: str | Path) -> Path:
        """Write the drawn picture and return its file.

        save_path: a file when it ends in the suffix of a picture, else a folder, in which it is named after the input
        """
        own = Path(self.input_path).suffix
        if own.lower() not in PICTURE_SUFFIXES or self.frame_index is not None:
            own = ".png"
        written = []
        for name, picture in self.img.items():
            suffix = ".png" if picture.mode == "P" else own  # the numbers of a palette survive in no JPEG
            target = _target(self, save_path, PICTURE_SUFFIXES, f"_{name}{suffix}")
            if picture.mode == "P" and target.suffix.lower() in _WITHOUT_PALETTE:
                picture = picture.convert("RGB")
            with atomic_write(target) as stream:
                picture.save(stream, format=_format(target), quality=95)
            written.append(target)
            if Path(save_path).suffix.lower() in PICTURE_SUFFIXES:
                break  # a single file was asked for: the main picture
        return written[0]

    def save_all(self, save_path: str | Path) -> None:
        """Write the JSON and the pictures into a folder."""
        self.save_to_json(save_path)
        self.save_to_img(save_path)

    def read_input(self) -> np.ndarray:
        """The input image, uint8 [H, W, 3], RGB. Raises DataError when its file has gone."""
        if self.image is not None:
            return self.image
        from pdx_core.images import read_image

        return read_image(self.input_path, max_megapixels=None)  # it was small enough for the network


@attrs.define(kw_only=True, eq=False)
class LabelsResult(Result):
    """The best classes of one image, best first.

    class_ids:   int32 [k]
    scores:      float32 [k], 0..1, rounded to 5 decimals as PaddleX publishes them
    label_names: k names
    """

    class_ids: np.ndarray = attrs.field(kw_only=False)
    scores: np.ndarray = attrs.field(kw_only=False, converter=lambda scores: np.round(scores, 5).astype(np.float32))
    label_names: list[str] = attrs.field(kw_only=False)

    @classmethod
    def best(
        cls, input_path: str, scores: np.ndarray, classes: Sequence[str], topk: int = 5, **others: Any
    ) -> LabelsResult:
        """The `topk` best of all classes; of equal scores the lower class id comes first.

        scores:  float32 [K], one per class
        classes: K names; where one is missing the id stands in for it
        """
        count = min(topk, len(scores))
        order = np.argsort(-scores, kind="stable")[:count].astype(np.int32)
        names = [classes[index] if index < len(classes) else str(index) for index in order.tolist()]
        return cls(input_path, order, scores[order], names, **others)

    def content(self) -> dict[str, Any]:
        return {"class_ids": self.class_ids, "scores": self.scores, "label_names": self.label_names}

    @property
    def summary(self) -> str:
        return ", ".join(f"{name} {score:.3f}" for name, score in zip(self.label_names, self.scores, strict=True))

    def draw(self, image: np.ndarray) -> dict[str, np.ndarray]:
        if not len(self.class_ids):
            return {"res": image}
        tail = f" {float(self.scores[0]):.2f}"
        colour = label_colour(int(self.class_ids[0]))
        return {"res": draw_label(image, self.label_names[0], tail=tail, colour=colour)}


def plain(value: Any) -> Any:
    """The same value in types that JSON knows: arrays become lists, numpy numbers Python's, paths text.

    float32 keeps the digits it was rounded to (0.79155, not 0.7915499806404114).
    """
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value] if value.dtype == np.float32 else value.tolist()
    if isinstance(value, np.float32):
        return float(str(value))
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value


# -- names of files --------------------------------------------------------------------------------------------------
# Which input wrote which file in this process: two inputs of the same name must not overwrite each other unnoticed
_written: OrderedDict[str, str] = OrderedDict()
_REMEMBERED = 100_000


def _target(result: Result, save_path: str | Path, suffixes: frozenset[str], ending: str) -> Path:
    """The file to write: `save_path` itself when it has one of `suffixes`, else one in that folder."""
    owner = f"{os.path.abspath(result.input_path)}#{result.page_index}#{result.frame_index}"  # noqa: PTH100
    given = Path(save_path)
    if given.suffix.lower() in suffixes and not given.is_dir():
        previous = _written.get(_key(given))
        if previous not in (None, owner):
            logger.warning("%s held another input's result and is overwritten; give a folder to keep both", given)
        _remember(given, owner)
        return given
    if given.exists() and not given.is_dir():
        raise PdxError(f"{given} is a file; give a folder, or a file name that ends in {' or '.join(sorted(suffixes))}")
    stem = Path(result.input_path).stem or "result"
    for index, number in (("page", result.page_index), ("frame", result.frame_index)):
        if number is not None:
            stem += f"_{index}{number:06d}"
    target, count = given / f"{stem}{ending}", 1
    while _written.get(_key(target), owner) != owner:
        count += 1
        target = given / f"{stem}-{count}{ending}"
    _remember(target, owner)
    return target


def _key(path: Path) -> str:
    return os.path.normcase(os.path.abspath(path))  # noqa: PTH100 - does not follow links, as the file name must not


def _remember(path: Path, owner: str) -> None:
    _written[_key(path)] = owner
    _written.move_to_end(_key(path))
    if len(_written) > _REMEMBERED:
        _written.popitem(last=False)


def _format(path: Path) -> str:
    return {".jpg": "JPEG", ".tif": "TIFF"}.get(path.suffix.lower(), path.suffix[1:].upper())
