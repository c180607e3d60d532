"""Feeds batches: a few workers read and transform samples ahead of the consumer.

Threads by default: OpenCV lets go of the interpreter lock, so two threads keep two cores busy without copying pictures
between processes. Processes pay off for transforms written in slow Python. Readers must bear being called from several
threads at once.
"""

from __future__ import annotations

import concurrent.futures
import logging
import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np

from pdx_core.data.batch import Batch
from pdx_core.data.order import BATCH_STREAM, TENSOR_STREAM, BatchOrder, random_stream
from pdx_core.data.sample import Sample
from pdx_core.data.work import Pipeline, SampleWork, batch_shape, image_shape, name_sample
from pdx_core.errors import DataError, WorkFailedError
from pdx_core.opencv import require_cv2

logger = logging.getLogger(__name__)


class Loader:
    """Batches of a dataset, epoch after epoch.

    reader:           a `contracts.Reader`
    transforms:       from `transforms.build.build`; contain Normalize
    batch_size:       per process
    collate:          `Task.collate(samples, batch) -> targets`; None leaves the targets empty
    batch_transforms: from `transforms.build.build_batch`
    seed:             with the epoch and the index of a sample it decides every random number; workers do not matter
    workers:          0 does the work in the calling thread
    broken_images:    "stop" raises; "skip" leaves the sample out when evaluating and takes the next one when training
    pad_multiple:     height and width of a batch are rounded up to it; pictures stand at its top left, zero elsewhere
    prefetch:         batches in work ahead of the consumer
    slow_seconds:     after this time without a batch the samples in work are named in a warning
    """

    def __init__(
        self,
        reader: Any,
        transforms: Sequence[Callable],
        *,
        batch_size: int,
        collate: Callable[[Sequence[Sample], Batch], dict[str, np.ndarray]] | None = None,
        batch_transforms: Sequence[Any] = (),
        shuffle: bool = False,
        drop_last: bool = False,
        seed: int = 0,
        workers: int = 2,
        worker_kind: str = "thread",
        rank: int = 0,
        world_size: int = 1,
        broken_images: str = "stop",
        pad_multiple: int = 1,
        prefetch: int = 2,
        keep_truth: bool | None = None,
        slow_seconds: float = 60.0,
    ) -> None:
        if not len(reader):
            raise DataError("the dataset has no samples")
        self.order = BatchOrder(
            count=len(reader),
            batch_size=batch_size,
            shuffle=shuffle,
            drop_last=drop_last,
            seed=seed,
            rank=rank,
            world_size=world_size,
        )
        self.pipeline = Pipeline.of(transforms)
        self.collate = collate
        self.batch_transforms = tuple(batch_transforms)
        self.workers = workers
        self.worker_kind = worker_kind
        self.pad_multiple = pad_multiple
        self.prefetch = prefetch
        self.slow_seconds = slow_seconds
        self.skipped_samples: dict[int, str] = {}  # index -> why
        self._work = SampleWork(
            reader=reader,
            transforms=self.pipeline.before,
            seed=seed,
            # Originals of label maps are large and only metrics want them.
            keep_truth=(not self.order.training) if keep_truth is None else keep_truth,
            skip_broken=broken_images == "skip",
            replace=broken_images == "skip" and self.order.training,
        )
        self._executor: Executor | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Batches per epoch of this process."""
        return len(self.order)

    @property
    def skipped(self) -> int:
        """How many broken samples were met so far; `skipped_samples` has the reasons."""
        return len(self.skipped_samples)

    def epoch(self, index: int, start: int = 0) -> Iterator[Batch]:
        """The batches of epoch `index` from number `start` on; the same ones whenever they are asked for."""
        plan = list(enumerate(self.order.batches(index, start), start))
        if self.workers == 0:
            for number, indices in plan:
                results = [self._work(index, int(sample)) for sample in indices]
                batch = self._assemble(index, number, indices, results)
                if batch is not None:
                    yield batch
            return
        executor = self._start()
        waiting: deque[_PendingBatch] = deque()
        todo = iter(plan)
        try:
            while True:
                while len(waiting) <= self.prefetch:
                    following = next(todo, None)
                    if following is None:
                        break
                    waiting.append(_PendingBatch(self, executor, index, *following))
                if not waiting:
                    return
                batch = self._wait(waiting[0])
                waiting.popleft()
                if batch is not None:
                    yield batch
                del batch  # or it would be held while the next one is made
        finally:
            for pending in waiting:
                pending.cancel()

    def close(self) -> None:
        """Stop the workers; a later `epoch` starts new ones."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None

    def __enter__(self) -> Loader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> Executor:
        require_cv2().setNumThreads(1)  # the parallelism is ours; OpenCV's own threads would fight over the cores
        if self._executor is None:
            if self.worker_kind == "process":
                self._executor = ProcessPoolExecutor(
                    self.workers, multiprocessing.get_context("spawn"), _start_process, (self._work,)
                )
            else:
                self._executor = ThreadPoolExecutor(self.workers, thread_name_prefix="pdx-loader")
        return self._executor

    def _submit(self, executor: Executor, epoch: int, index: int) -> Future:
        if self.worker_kind == "process":
            return executor.submit(_work_in_process, epoch, index)
        return executor.submit(self._work, epoch, index)

    def _assemble(self, epoch: int, number: int, indices: np.ndarray, results: Sequence[Any]) -> Batch | None:
        """Put samples into one array; None when all of them were broken."""
        for _, broken in results:
            self._note_broken(broken)
        kept = [(int(index), sample) for index, (sample, _) in zip(indices, results, strict=True) if sample is not None]
        if not kept:
            return None
        samples = [sample for _, sample in kept]
        rng = random_stream(self._work.seed, epoch, number, BATCH_STREAM)
        for transform in self.batch_transforms:
            if hasattr(transform, "on_samples"):
                samples = transform.on_samples(samples, rng)
        batch = self._fill(epoch, [index for index, _ in kept], samples)
        if self.collate is not None:
            batch.targets = self.collate(samples, batch)
        for transform in self.batch_transforms:
            if not hasattr(transform, "on_samples"):
                batch = transform(batch, rng)
        return batch

    def _fill(self, epoch: int, indices: Sequence[int], samples: list[Sample]) -> Batch:
        height, width = batch_shape(
            samples, max(self.pad_multiple, getattr(self.pipeline.normalize, "pad_multiple", 1))
        )
        whole = all(sample.image.shape[:2] == (height, width) for sample in samples)
        images = (np.empty if whole else np.zeros)((len(samples), 3, height, width), np.float32)
        im_shape = np.array([image_shape(sample) for sample in samples], np.float32)
        for index, sample, planes in zip(indices, samples, images, strict=True):
            image_height, image_width = sample.image.shape[:2]
            planes = planes[:, :image_height, :image_width]
            self.pipeline.normalize.write(sample.image, planes)
            if self.pipeline.after:
                rng = random_stream(self._work.seed, epoch, index, TENSOR_STREAM)
                for transform in self.pipeline.after:
                    transform.on_tensor(planes, rng)
            sample.image = None
        scale_factor = np.array([sample.scale_factor for sample in samples], np.float32)
        return Batch(images=images, samples=samples, im_shape=im_shape, scale_factor=scale_factor)

    def _note_broken(self, broken: Sequence[tuple[int, str]]) -> None:
        for index, reason in broken:
            with self._lock:
                known = index in self.skipped_samples
                self.skipped_samples[index] = reason
            if not known:
                logger.warning("skipped sample %d: %s", index, reason)

    def _wait(self, pending: _PendingBatch) -> Batch | None:
        started = time.monotonic()
        patience = self.slow_seconds
        while True:
            try:
                return pending.batch.result(timeout=patience)
            except concurrent.futures.TimeoutError:
                if pending.batch.done():
                    raise  # a worker's own timeout, not ours
                patience *= 2
                logger.warning(
                    "no batch for %.0f s; still in work: %s",
                    time.monotonic() - started,
                    ", ".join(name_sample(self._work.reader, index) for index in pending.unfinished()[:4]),
                )
            except BrokenProcessPool as error:
                self.close()
                raise WorkFailedError(
                    "a loader process died (out of memory?); use fewer workers, or -o Data.worker_kind=thread"
                ) from error


class _PendingBatch:
    """A batch whose samples are in work. The worker that finishes the last sample puts the batch together."""

    def __init__(self, loader: Loader, executor: Executor, epoch: int, number: int, indices: np.ndarray) -> None:
        self.batch: Future = Future()
        self._loader, self._epoch, self._number, self._indices = loader, epoch, number, indices
        self._left = len(indices)
        self._lock = threading.Lock()
        self._futures = [loader._submit(executor, epoch, int(index)) for index in indices]
        for future in self._futures:
            future.add_done_callback(self._count_down)

    def _count_down(self, _: Future) -> None:
        with self._lock:
            self._left -= 1
            if self._left:
                return
        if not self.batch.set_running_or_notify_cancel():
            return
        try:
            results = [future.result() for future in self._futures]
            self.batch.set_result(self._loader._assemble(self._epoch, self._number, self._indices, results))
        except BaseException as error:  # noqa: BLE001 - handed to the consumer, who raises it
            self.batch.set_exception(error)
        finally:
            self._futures = []

    def unfinished(self) -> list[int]:
        """Indices of samples in work, those being read first."""
        waiting = [(index, future) for index, future in zip(self._indices, self._futures, strict=False)]
        running = [int(index) for index, future in waiting if future.running()]
        return running or [int(index) for index, future in waiting if not future.done()]

    def cancel(self) -> None:
        self.batch.cancel()
        for future in list(self._futures):
            future.cancel()


_process_work: SampleWork | None = None  # of a worker process


def _start_process(work: SampleWork) -> None:
    global _process_work
    require_cv2().setNumThreads(1)
    _process_work = work


def _work_in_process(epoch: int, index: int) -> tuple[Sample | None, list[tuple[int, str]]]:
    assert _process_work is not None
    return _process_work(epoch, index)
