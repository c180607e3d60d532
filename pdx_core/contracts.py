"""The treaties between components, as protocols. Nothing here imports numpy or paddle.

    model     = backbone -> (neck) -> head
    reader    = files on disk -> samples
    predictor = image -> preprocess -> runtime -> postprocess -> Result

Tensors are `paddle.Tensor`, arrays `numpy.ndarray`. Images inside pdx are RGB uint8 [H, W, 3] until they are normalised
to float32 [N, 3, H, W]. Boxes are x1 y1 x2 y2 in pixels with w = x2 - x1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from paddle import Tensor

    from pdx_core.data.batch import Batch
    from pdx_core.data.findings import Findings
    from pdx_core.data.sample import Sample
    from pdx_core.results import Result
    from pdx_core.settings import RunConfig


@attrs.frozen
class FeatureSpec:
    """One feature level: `channels` is C, `stride` the number of input pixels per cell along each axis."""

    channels: int
    stride: int


# A dialect turns the parameter names of one of our layers into those of an official release. Each rule is
# (regular expression, replacement); the first whose expression matches the whole name wins, and a name without a rule
# keeps its spelling. The replacement may be a function of the match, as in `re.sub`.
DialectRules = Sequence[tuple[str, Any]]


@runtime_checkable
class Backbone(Protocol):
    """A `paddle.nn.Layer` built as `target(**arguments, **options)`.

    `features` lists what `forward` returns, fine to coarse. `dialects` (optional) maps the name of a release
    ("PaddleClas", "PaddleDetection", "PaddleSeg") to the rules that give the full official key.
    """

    features: tuple[FeatureSpec, ...]

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """images float32 [N, 3, H, W] -> level i float32 [N, C_i, H / s_i, W / s_i]."""


class Neck(Protocol):
    """A `paddle.nn.Layer` built as `target(features, **arguments, **options)`; publishes `features` of its own."""

    features: tuple[FeatureSpec, ...]

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Levels of the trunk, fine to coarse -> own levels, as its own `features` say."""


class Head(Protocol):
    """A `paddle.nn.Layer` built as `target(features, num_classes, **arguments, **options)`.

    `image_info` is a dict of tensors: `images` float32 [N, 3, H, W], the network input, and, unless only raw outputs
    are wanted, `im_shape` float32 [N, 2] (h, w of the network input without padding) and `scale_factor` float32 [N, 2]
    (y, x; input size / original size). A head that needs none of it may be called with None.

    Optional: `take_over(name, given, own) -> array | None`, asked when fine-tuning for each parameter that has another
    shape because of another number of classes: numpy arrays of the file and of the head; gives `own` with everything
    that does not belong to a class taken from `given`.
    """

    def forward(self, features: tuple[Tensor, ...], image_info: Mapping[str, Tensor] | None = None) -> Any:
        """Raw outputs; a pure tensor function that can be exported."""

    def loss(self, features: tuple[Tensor, ...], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Named scalar losses; the training loop minimises their sum. `targets` is what `Task.collate` made.

        `targets["images"]` is the input batch, for heads that need its size.
        """

    def decode(self, raw: Any, image_info: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Predictions as named tensors (`scores` [N, K] for cls; `bbox` [n, 6] and `bbox_num` [N] for det ...).

        Exported with the network.
        """


class Reader(Protocol):
    """Built as `target(root, split, **options)`; `split` is "train" or "val". Never writes below `root`.

    Several threads read at once. Optional: an option `max_megapixels`, filled from Data.max_megapixels, and
    a method `describe(index) -> str` that names a sample's file without reading it, for messages.
    """

    classes: tuple[str, ...]

    def __len__(self) -> int:
        """The number of samples of the split."""

    def __getitem__(self, index: int) -> Sample:
        """The sample with its image decoded; raises DataError naming the file."""


class Movable(Protocol):
    """A value of `Sample.extra` that has places in the image: points, lines, a map of depths.

    Every geometric transform moves it along with the image; other values of `extra` stay as they are.
    """

    def moved(self, move_points: Callable[[Any], Any], move_raster: Callable[[Any, Any], Any]) -> Any:
        """A copy at its new place; the value itself stays as it was, for it is the truth that a metric looks at.

        move_points: float32 [n, 2] (x and y of pixel edges) -> the same; nothing is clipped, NaN stays NaN
        move_raster: (uint8 or int32 [H, W], what new pixels get) -> [H', W'], by nearest neighbour
        """


class Metric(Protocol):
    """Built as `target(classes, **options)`. State is small and flat; values are fractions of 1 unless said."""

    def update(self, results: Sequence[Any], samples: Sequence[Sample]) -> None:
        """`results[i]` is the task's Result for `samples[i]`, whose truth is in original pixels."""

    def compute(self) -> dict[str, float]:
        """Numbers by name; the MetricSpec's `key` is among them."""

    def state(self) -> Any:
        """Everything `merge` needs, picklable, to send to another process."""

    def merge(self, states: Sequence[Any]) -> None:
        """Replace own state by the union of the states of all processes."""


class Task(Protocol):
    """What the shared loop has to know about one task. Built as `target(config, classes)`.

    Optional attributes: `metric_prefix` stands before the names of its metrics in logs and result files ("val." for
    classification), `pad_multiple` is what height and width of a batch are rounded up to, and
    `run(runner, feed) -> outputs` runs the network for an evaluation batch in another way than once: `runner` takes and
    gives arrays by name, `feed` holds images, im_shape and scale_factor (see `pdx_core.test_time`).
    """

    def __init__(self, config: RunConfig, classes: tuple[str, ...]) -> None: ...

    def collate(self, samples: Sequence[Sample], batch: Batch) -> dict[str, np.ndarray]:
        """Targets of a training batch by name; images are already in `batch.images`."""

    def results(self, outputs: Mapping[str, np.ndarray], samples: Sequence[Sample]) -> list[Result]:
        """One Result per image from what `Head.decode` gave; boxes and maps in original pixels."""


class DatasetChecker(Protocol):
    """What `pdx check` and `pdx split` need from a reader's module, named by `ReaderSpec.checker`.

    Built as `target(root, settings)` with `pdx_core.data.check.CheckSettings`.
    """

    dataset_type: str  # "ClsDataset", as the published result files spell it

    def check(self, findings: Findings) -> None:
        """Look at every file and record each defect; never raises for bad data."""

    def attributes(self, output: Path) -> dict[str, Any]:
        """The published `attributes` object, after a check without errors.

        Draws sample pictures into `output`/check_dataset/demo_img and `output`/check_dataset/histogram.png.
        """

    def split(self, output: Path, train_percent: int, val_percent: int, seed: int) -> dict[str, int]:
        """Write new annotation files into `output` and return the number of samples of each split.

        `output` is the dataset's own folder when the user asked for that; files in the way go through
        `pdx_core.data.split.set_aside`.
        """


class Runtime(Protocol):
    """Runs one exported model. Built as `target(folder, device, **arguments, threads=None, outputs=())`.

    `threads` is the number the user asked for or None, `outputs` the names to give to the graph's outputs, in order.
    Optional: `image_size`, the height and width of the only images the graph takes, or None.
    """

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The outputs of the graph by name for one batch; `inputs` has `images` and whatever else the graph takes."""


class Predictor(Protocol):
    """Built as `target(card, runner, **options)`; `pdx_core.predictor.ImagePredictor` does all but the results."""

    def predict(self, input: Any, batch_size: int = 1, **options: Any) -> Iterator[Result]:
        """A Result for each image of a path, pattern, folder, list, URL or array (BGR), in order."""
