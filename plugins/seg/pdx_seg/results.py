"""What a segmentation says about one image: a class for every pixel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

import attrs
import numpy as np

from pdx_core.opencv import require_cv2
from pdx_core.results import Result, plain
from pdx_seg.counting import count_labels
from pdx_seg.legend import add_legend, draw_overlay
from pdx_seg.palette import mask_palette
from pdx_seg.runs import runs_of, write_rows, write_runs

if TYPE_CHECKING:
    from PIL.Image import Image

LISTED_PIXELS = 1 << 24  # JSON lists every pixel of pictures up to this size, and runs of equal ones above it
_DRAWN_SIDE = 4096  # pixels; the overlay of a larger picture is drawn smaller
_SUMMARISED = 5  # classes in a line for people
_LEGEND = 24  # classes in a legend
_BACKGROUNDS = frozenset({"background", "_background_", "__background__"})  # first classes that are not tinted


@attrs.frozen
class ClassShare:
    """How much of the picture one class covers; `share` is 0..1."""

    cls_id: int
    label: str
    pixels: int
    share: float


@attrs.define(kw_only=True, eq=False)
class LabelMapResult(Result):
    """The class of every pixel of one image.

    label_map:   uint8 [H, W] at the size of the original image (int32 where a model has more than 256 classes)
    label_names: names by class id; where one is missing the id stands in for it

    Its JSON lists all pixels of pictures up to 16.7 megapixels, as `pred` [1, H, W]. Larger ones have `pred_runs` in
    its place: {"size": [H, W], "runs": [[class id, pixels], ...]}, row after row from the top left.
    """

    label_map: np.ndarray = attrs.field(kw_only=False, repr=False)
    label_names: Sequence[str] = attrs.field(kw_only=False, default=(), repr=False)
    _classes: list[ClassShare] | None = attrs.field(init=False, default=None, repr=False)

    @property
    def pred(self) -> np.ndarray:
        """The label map as PaddleX publishes it: [1, H, W]."""
        return self.label_map[None]

    @property
    def classes(self) -> list[ClassShare]:
        """The classes that occur, those with most pixels first."""
        if self._classes is None:
            counts = count_labels(self.label_map)
            order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
            self._classes = [
                ClassShare(index, self._name(index), int(counts[index]), float(counts[index] / self.label_map.size))
                for index in order.tolist()
            ]
        return self._classes

    def content(self) -> dict[str, Any]:
        """The published `pred`, and how much of the picture each class covers."""
        return {"pred": self.pred, "classes": [attrs.asdict(item) for item in self.classes]}

    @property
    def shown(self) -> dict[str, Any]:
        return {**self.fields, "pred": "..."}

    @property
    def summary(self) -> str:
        """The largest classes and their shares."""
        text = ", ".join(f"{item.label} {item.share:.1%}" for item in self.classes[:_SUMMARISED])
        rest = len(self.classes) - _SUMMARISED
        return text + (f" and {rest} more" if rest > 0 else "")

    @property
    def json(self) -> dict[str, Any]:
        key, fields = self._json_fields()
        if key == "pred":
            fields[key] = self.pred
        else:
            fields[key] = {"size": self.label_map.shape, "runs": list(runs_of(self.label_map))}
        return {"res": plain(fields)}

    def write_json(self, stream: IO[str], indent: int | None, ensure_ascii: bool) -> None:
        """Row by row: neither time nor memory goes into a Python number per pixel."""
        key, fields = self._json_fields()
        mark = "the pixels"
        while mark in str(fields):
            mark += "."
        fields[key] = mark
        before, after = json.dumps(plain(fields), indent=indent, ensure_ascii=ensure_ascii).split(f'"{mark}"')
        stream.write(before)
        (write_rows if key == "pred" else write_runs)(stream, self.label_map)
        stream.write(after)

    def draw(self, image: np.ndarray) -> dict[str, np.ndarray | Image]:
        """res: the label map as a picture with a palette: its pixels are class ids and show as colours.
        overlay: the image tinted by class, with a legend; not larger than 4096 pixels a side. A first class that is
        called background is not tinted.
        """
        from PIL import Image

        colours = mask_palette()
        labels = Image.fromarray(self.label_map.astype(np.uint8, copy=False))
        labels.putpalette(colours.ravel().tolist())
        small, label_map = _reduced(image, self.label_map)
        untouched = 0 if self._name(0).lower() in _BACKGROUNDS else None
        if untouched is not None:
            colours[untouched] = 255  # in the legend
        entries = [(item.label, f" {item.share:.1%}", colours[item.cls_id].tolist()) for item in self.classes[:_LEGEND]]
        return {"res": labels, "overlay": add_legend(draw_overlay(small, label_map, colours, untouched), entries)}

    def _json_fields(self) -> tuple[str, dict[str, Any]]:
        """The key under which the pixels stand, and all fields in order with nothing in that place yet."""
        key = "pred" if self.label_map.size <= LISTED_PIXELS else "pred_runs"
        return key, {key if name == "pred" else name: value for name, value in {**self.fields, "pred": None}.items()}

    def _name(self, index: int) -> str:
        return self.label_names[index] if index < len(self.label_names) else str(index)


def _reduced(image: np.ndarray, label_map: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both at a size at which drawing on them is cheap."""
    height, width = label_map.shape
    factor = _DRAWN_SIDE / max(height, width)
    if factor >= 1:
        return image, label_map
    cv2 = require_cv2()
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return (
        cv2.resize(image, size, interpolation=cv2.INTER_AREA),
        cv2.resize(label_map, size, interpolation=cv2.INTER_NEAREST),
    )
