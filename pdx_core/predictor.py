"""The road from an input to a Result: prepare images ahead in threads, run in batches, hand the outputs to the task."""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import attrs
import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.errors import PdxError
from pdx_core.inputs import Input, check_input, expand
from pdx_core.opencv import require_cv2
from pdx_core.transforms.build import build

if TYPE_CHECKING:
    from collections.abc import Callable

    from pdx_core.contracts import Runtime
    from pdx_core.model_card import ModelCard
    from pdx_core.results import Result
    from pdx_core.settings import RunConfig

logger = logging.getLogger(__name__)

BrokenImages = Literal["stop", "skip"] | None

_NO_RANDOMNESS = np.random.default_rng(0)  # transforms for evaluation take a generator and do not use it


@attrs.define(kw_only=True, eq=False)
class Prepared:
    """One image on its way through the network.

    planes:       float32 [3, H, W], normalised
    im_shape:     height and width of `planes` without padding
    scale_factor: y and x factor from the original image to `planes`
    size:         height and width of the original image
    common:       what every Result takes: page_index, frame_index and the image where no file holds it
    """

    name: str
    planes: np.ndarray
    im_shape: tuple[float, float]
    scale_factor: tuple[float, float]
    size: tuple[int, int]
    common: dict[str, Any] = attrs.field(factory=dict)

    @classmethod
    def of(cls, sample: Sample, **common: Any) -> Prepared:
        """From a sample after all its transforms."""
        return cls(
            name=sample.path,
            planes=sample.image,
            im_shape=sample.im_shape or sample.image.shape[1:],
            scale_factor=sample.scale_factor,
            size=sample.size,
            common=common,
        )


class ImagePredictor:
    """Pre- and post-processing around one runtime. A task's predictor adds `results`.

    card:           what the model says about itself
    runner:         the loaded runtime
    workers:        threads that read and prepare images while the network runs
    allow_urls:     whether http(s) addresses are read; a server switches this off
    max_megapixels: larger images are refused before they are decoded; None is no limit

    One predictor serves one thread at a time. `failures` lists what the last `predict` had to leave out.
    """

    default_post: ClassVar[Mapping[str, Any]] = {}  # PostProcess section of a fresh export

    def __init__(
        self,
        card: ModelCard,
        runner: Runtime,
        *,
        workers: int = 2,
        allow_urls: bool = True,
        max_megapixels: float | None = 100.0,
    ) -> None:
        self.card = card
        self.runner = runner
        self.workers = max(1, workers)
        self.allow_urls = allow_urls
        self.max_megapixels = max_megapixels
        self.failures: list[tuple[str, str]] = []
        self._prepare_steps = preparation(card.transforms)

    # -- what a task adds --------------------------------------------------------------------------------------------
    @classmethod
    def published_post(cls, config: RunConfig) -> dict[str, Any]:
        """The PostProcess section of an exported model, without class names."""
        return {name: dict(options) for name, options in cls.default_post.items()}

    def results(
        self, outputs: Mapping[str, np.ndarray], images: Sequence[Prepared], **options: Any
    ) -> Sequence[Result]:
        """One Result per image from the outputs of one run. `options` are those given to `predict`."""
        raise NotImplementedError

    def run(self, feed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The model's outputs for prepared images of one size; a task may look at them in several ways and merge."""
        return self.runner(feed)

    def prepare(self, source: Input) -> Prepared:
        """Read an image and make it ready for the network. Raises DataError."""
        image = source.load(self.max_megapixels)
        sample = self._prepare_steps(Sample(image=image, path=source.name, id=source.name, size=image.shape[:2]))
        return Prepared.of(sample, **common_fields(source, image))

    def postpones(self, source: Input) -> bool:
        """Whether an image is prepared only when its turn comes, and answered alone: one too large to wait for it."""
        return False

    def answer(self, images: Sequence[Prepared], options: Mapping[str, Any]) -> Iterator[Result]:
        """Results for prepared images, in order. Images of one size are run together."""
        # Padding the others would make a result depend on its neighbours.
        for _, group in itertools.groupby(images, key=lambda image: image.planes.shape):
            same = list(group)
            yield from self.results(self.run(feed_of(same)), same, **options)

    # -- what every task gets ----------------------------------------------------------------------------------------
    def predict(
        self, input: Any, batch_size: int = 1, *, broken_images: BrokenImages = None, **options: Any
    ) -> Iterator[Result]:
        """Results in the order of the input, as they are ready.

        input:         see `pdx_core.inputs.expand`
        broken_images: "stop" raises DataError at an image that cannot be read; "skip" logs it, notes it in `failures`
                       and goes on; None stops at images that were named and skips those of a folder or pattern
        options:       of the task, such as `topk`; they win over those of `create_model`

        Raises PdxError at once for an input that cannot be used at all.
        """
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1:
            raise PdxError(f"batch_size must be a whole number from 1 on, got {batch_size!r}")
        if broken_images not in ("stop", "skip", None):
            raise PdxError(f"broken_images must be 'stop', 'skip' or None, got {broken_images!r}")
        self.check_options(options)
        check_input(input, allow_urls=self.allow_urls)
        self.failures = []
        return self._predict(expand(input, allow_urls=self.allow_urls), batch_size, broken_images, options)

    __call__ = predict

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raise PdxError for an option of `predict` that the task does not have, or a wrong value."""
        if options:
            raise PdxError(f"predict takes no option {', '.join(map(repr, options))} for the task {self.card.task!r}")

    def _predict(
        self, inputs: Iterator[Input], batch_size: int, broken_images: BrokenImages, options: Mapping[str, Any]
    ) -> Iterator[Result]:
        images: list[Prepared] = []
        for future, source in self._read_ahead(inputs, ahead=max(2 * batch_size, 2 * self.workers)):
            postponed = future.exception() is None and future.result() is None
            if postponed:
                yield from self.answer(images, options)
                images = []
            try:
                images.append(self.prepare(source) if postponed else future.result())
            except PdxError as error:
                if broken_images == "stop" or (broken_images is None and source.named):
                    yield from self.answer(images, options)  # what was asked for before it is not lost
                    raise
                self.failures.append((source.name, str(error)))
                logger.warning("left out: %s", error)
            if postponed or len(images) == batch_size:
                yield from self.answer(images, options)
                images = []
        yield from self.answer(images, options)

    def _read_ahead(self, inputs: Iterator[Input], ahead: int) -> Iterator[tuple[Future, Input]]:
        """Prepared images in order, with at most `ahead` of them waiting; None for those that are postponed."""
        cv2 = require_cv2()
        threads_before = cv2.getNumThreads()
        cv2.setNumThreads(1)  # the parallelism is over images; OpenCV's own threads would fight with the network's
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="pdx-read")
        try:
            waiting: deque[tuple[Future, Input]] = deque()
            for source in inputs:
                waiting.append((pool.submit(self._prepare_ahead, source), source))
                if len(waiting) > ahead:
                    yield waiting.popleft()
            yield from waiting
        finally:  # also when the caller stops half way
            pool.shutdown(wait=True, cancel_futures=True)
            cv2.setNumThreads(threads_before)

    def _prepare_ahead(self, source: Input) -> Prepared | None:
        return None if self.postpones(source) else self.prepare(source)


def common_fields(source: Input, image: np.ndarray) -> dict[str, Any]:
    """What the Result of any task takes of its input: the page, the frame, and the image where no file holds it."""
    # A file is read again when it is drawn on instead of being kept in memory
    return {"page_index": None, "frame_index": source.frame_index, "image": None if source.is_file else image}


def preparation(transforms: Sequence[Mapping[str, Any]]) -> Callable[[Sample], Sample]:
    """The evaluation transforms as one function. Raises ConfigError when they do not end in network input."""
    steps = build(transforms, "the model's preprocessing")

    def prepare(sample: Sample) -> Sample:
        for step in steps:
            sample = step(sample, _NO_RANDOMNESS)
        if sample.image.dtype != np.float32 or sample.image.shape[0] != 3:
            raise PdxError("the model's preprocessing must end in Normalize")
        return sample

    return prepare


def feed_of(images: Sequence[Prepared]) -> dict[str, np.ndarray]:
    """The network's inputs for prepared images of one size: images [N, 3, H, W], im_shape and scale_factor [N, 2]."""
    planes = images[0].planes[None] if len(images) == 1 else np.stack([image.planes for image in images])
    return {
        "images": planes,
        "im_shape": np.array([image.im_shape for image in images], np.float32),
        "scale_factor": np.array([image.scale_factor for image in images], np.float32),
    }
