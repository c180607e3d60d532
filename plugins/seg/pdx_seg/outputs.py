"""What a segmentation network or an exported model gives back, whoever exported it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs
import numpy as np

from pdx_core.errors import PdxError
from pdx_core.transforms.interpolation import resize_image
from pdx_seg.labels import MAX_CLASSES
from pdx_seg.scores import best_classes, without_padding


@attrs.frozen(eq=False)
class Outputs:
    """What a network said about a batch. One of the two may be missing, depending on who exported the model.

    label_maps: uint8 [N, H, W] at the size of the network input
    scores:     float32 [N, K, h, w] on any grid that covers the network input; higher is likelier
    frame:      height and width of the network input
    """

    label_maps: np.ndarray | None
    scores: np.ndarray | None
    frame: tuple[int, int]

    def __len__(self) -> int:
        return len(self.scores if self.label_maps is None else self.label_maps)

    def singles(self) -> Iterator[Outputs]:
        """The same as batches of one."""
        for index in range(len(self)):
            one = slice(index, index + 1)
            yield attrs.evolve(
                self,
                label_maps=None if self.label_maps is None else self.label_maps[one],
                scores=None if self.scores is None else self.scores[one],
            )

    def label_map(self, index: int, shape: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
        """The class of every pixel of one original picture, uint8 `size`.

        shape: height and width of the picture in the network input, without padding
        size:  height and width of the original. Where it is not `shape`, scores are resized and not classes: borders
               stay smooth
        """
        height, width = (int(side) for side in shape)
        if self.label_maps is not None and (self.scores is None or (height, width) == tuple(size)):
            labels = self.label_maps[index, :height, :width]
            return np.ascontiguousarray(
                labels if labels.shape == tuple(size) else resize_image(labels, *size, "nearest")
            )
        return best_classes(without_padding(self.scores[index], self.frame, (height, width)), size)


def read_outputs(outputs: Mapping[str, np.ndarray], frame: tuple[int, int]) -> Outputs:
    """Find label maps and scores among a model's outputs.

    pdx's own are called `label_map` and `logits`. Those of PaddleX and PaddleSeg are told by their shape: whole numbers
    or a single channel are label maps ([N, H, W] or [N, 1, H, W]), floats with several channels are scores.

    Raises PdxError when there is neither.
    """
    label_maps, scores = outputs.get("label_map"), outputs.get("logits")
    for value in outputs.values():
        if label_maps is None and scores is None:
            if value.ndim == 3 or (value.ndim == 4 and value.shape[1] == 1):
                label_maps = value.reshape(len(value), *value.shape[-2:])
            elif value.ndim == 4 and value.dtype.kind == "f":
                scores = value
    if label_maps is None and scores is None:
        shapes = ", ".join(f"{name} {list(value.shape)}" for name, value in outputs.items())
        raise PdxError(f"the model's outputs are not those of a segmentation: {shapes}")
    if label_maps is not None and label_maps.dtype != np.uint8:
        if label_maps.size and not 0 <= label_maps.min() <= label_maps.max() <= MAX_CLASSES:
            raise PdxError(
                f"the model gives class ids from {label_maps.min()} to {label_maps.max()}; a label map holds 0 to 255"
            )
        label_maps = label_maps.astype(np.uint8)
    if scores is not None:
        scores = np.asarray(scores, np.float32)
    return Outputs(label_maps, scores, tuple(frame))
