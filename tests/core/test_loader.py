"""The loader: same batches whoever makes them, exact restart, shards, broken samples, clean ends."""

from __future__ import annotations

import logging
import threading
import time

import numpy as np
import pytest

from pdx_core.data.loader import Loader
from pdx_core.data.order import BatchOrder
from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError, DataError, WorkFailedError
from pdx_core.transforms.build import build, build_batch


class Numbers:
    """Sample i is a small picture filled with i; some indices are broken."""

    classes = ("even", "odd")

    def __init__(self, count: int = 23, size: int = 12, broken: tuple[int, ...] = (), error: type = DataError) -> None:
        self.count, self.size, self.broken, self.error = count, size, broken, error

    def __len__(self) -> int:
        return self.count

    def describe(self, index: int) -> str:
        return f"img_{index}.png"

    def __getitem__(self, index: int) -> Sample:
        if index in self.broken:
            raise self.error(f"img_{index}.png: broken")
        image = np.full((self.size, self.size, 3), index % 256, np.uint8)
        return Sample(image=image, label=index % 2, path=self.describe(index), size=image.shape[:2])


class Ragged(Numbers):
    """Every picture has its own size."""

    def __getitem__(self, index: int) -> Sample:
        return Sample(image=np.full((10 + index, 30 - index, 3), 255, np.uint8), path=str(index))


def labels(samples: list[Sample], batch: object) -> dict[str, np.ndarray]:
    return {"label": np.array([sample.label for sample in samples], np.int64)}


def flat(batches: list) -> list[int]:
    """All numbers of a list of lists, in ascending order."""
    return sorted(np.concatenate(batches).tolist())


PLAIN = ({"Normalize": {"mean": [0, 0, 0], "std": [1, 1, 1], "scale": 1}},)
RANDOM = (
    {"RandomResizedCrop": {"size": 8}},
    "RandomHorizontalFlip",
    "ColorDistort",
    "Normalize",
    {"RandomErasing": {"prob": 0.5}},
)


def make(reader: object, transforms: tuple = PLAIN, **options: object) -> Loader:
    return Loader(reader, build(transforms), **{"batch_size": 4, "workers": 2, "collate": labels, **options})


def seen(batches: object) -> list[list[int]]:
    """The indices that PLAIN leaves in the pixels, batch by batch."""
    return [batch.images[:, 0, 0, 0].astype(int).tolist() for batch in batches]


@pytest.mark.parametrize("options", [{"workers": 0}, {"workers": 1}, {"workers": 5}, {"workers": 2, "prefetch": 0}])
def test_batches_do_not_depend_on_the_workers(options):
    mix = build_batch([{"Mixup": {}}], num_classes=2)
    wanted = list(make(Numbers(), RANDOM, shuffle=True, seed=7, workers=3, batch_transforms=mix).epoch(2))
    with make(Numbers(), RANDOM, shuffle=True, seed=7, batch_transforms=mix, **options) as loader:
        got = list(loader.epoch(2))
    assert len(got) == len(loader) == 6
    for left, right in zip(got, wanted, strict=True):
        assert np.array_equal(left.images, right.images)
        assert np.array_equal(left.targets["label"], right.targets["label"])


def test_processes_give_the_same_batches():
    wanted = [batch.images for batch in make(Numbers(), RANDOM, shuffle=True, seed=1).epoch(0)]
    with make(Numbers(), RANDOM, shuffle=True, seed=1, worker_kind="process", workers=1) as loader:
        got = [batch.images for batch in loader.epoch(0)]
    assert all(np.array_equal(left, right) for left, right in zip(got, wanted, strict=True))


def test_restart_in_the_middle_of_an_epoch():
    loader = make(Numbers(), RANDOM, shuffle=True, seed=3)
    whole = [batch.images for batch in loader.epoch(5)]
    rest = [batch.images for batch in loader.epoch(5, start=2)]
    assert len(rest) == 4
    assert all(np.array_equal(left, right) for left, right in zip(rest, whole[2:], strict=True))
    assert list(loader.epoch(5, start=6)) == []


def test_epochs_and_seeds_differ_and_every_sample_comes_once():
    loader = make(Numbers(), shuffle=True, seed=3)
    first, second = seen(loader.epoch(0)), seen(loader.epoch(1))
    assert first != second
    assert flat(first) == flat(second) == list(range(23))
    assert seen(make(Numbers(), shuffle=True, seed=4).epoch(0)) != first
    assert seen(loader.epoch(0)) == first


def test_unshuffled_order():
    assert seen(make(Numbers(6)).epoch(9)) == [[0, 1, 2, 3], [4, 5]]
    assert seen(make(Numbers(6), drop_last=True).epoch(0)) == [[0, 1, 2, 3]]
    assert seen(make(Numbers(3), drop_last=True).epoch(0)) == [[0, 1, 2]]  # never an epoch of nothing


@pytest.mark.parametrize("world_size", [2, 3])
def test_shards_make_up_the_same_global_batches(world_size):
    options = {"count": 50, "shuffle": True, "drop_last": True, "seed": 5}
    whole = BatchOrder(batch_size=4 * world_size, **options).batches(1)
    parts = [BatchOrder(batch_size=4, rank=rank, world_size=world_size, **options) for rank in range(world_size)]
    assert {len(part) for part in parts} == {len(whole)}
    joined = [np.concatenate(batches) for batches in zip(*(part.batches(1) for part in parts), strict=True)]
    assert all(np.array_equal(left, right) for left, right in zip(joined, whole, strict=True))


@pytest.mark.parametrize("count", [1, 3, 4, 9, 13, 16])
def test_ranks_take_equally_many_training_batches(count):
    parts = [BatchOrder(count=count, batch_size=4, shuffle=True, rank=rank, world_size=3) for rank in range(3)]
    batches = [part.batches(0) for part in parts]
    assert len({len(part) for part in batches}) == 1 and {len(part) for part in parts} == {len(batches[0])}
    assert all(len(batch) for part in batches for batch in part)
    assert {index for part in batches for index in flat(part)} == set(range(count))


@pytest.mark.parametrize("count", [0, 1, 7, 12])
def test_evaluation_shards_hold_every_sample_once(count):
    parts = [BatchOrder(count=count, batch_size=2, rank=rank, world_size=3) for rank in range(3)]
    everything = [index for part in parts for batch in part.batches(0) for index in batch]
    assert sorted(everything) == list(range(count))
    assert [len(part.batches(0)) for part in parts] == [len(part) for part in parts]


def test_truth_is_the_untransformed_sample():
    (batch,) = make(Numbers(2), RANDOM).epoch(0)
    assert [sample.truth.label for sample in batch.samples] == [0, 1]
    assert all(sample.truth.size == (12, 12) and sample.truth.image is None for sample in batch.samples)
    assert all(sample.image is None for sample in batch.samples)
    (batch,) = make(Numbers(2), RANDOM, shuffle=True).epoch(0)
    assert batch.samples[0].truth is None  # nobody asks for it while training
    (batch,) = make(Numbers(2), RANDOM, shuffle=True, keep_truth=True).epoch(0)
    assert batch.samples[0].truth is not None


def test_pictures_of_different_sizes_are_padded():
    (batch,) = make(Ragged(3), collate=None, pad_multiple=8).epoch(0)
    assert batch.images.shape == (3, 3, 16, 32)  # 12 x 30 rounded up
    assert batch.im_shape.tolist() == [[10, 30], [11, 29], [12, 28]]
    for picture, (height, width) in zip(batch.images, batch.im_shape.astype(int), strict=True):
        assert (picture[:, :height, :width] == 255).all()
        assert picture.sum() == 255 * 3 * height * width


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_sample_stops_and_is_named(workers):
    with pytest.raises(DataError, match=r"img_9\.png: broken"):
        list(make(Numbers(broken=(9,)), workers=workers).epoch(0))


def test_other_failures_name_the_sample():
    with pytest.raises(WorkFailedError, match=r"reading sample 9 \(img_9\.png\) failed: ZeroDivisionError"):
        list(make(Numbers(broken=(9,), error=ZeroDivisionError)).epoch(0))


def explode(sample: Sample, rng: np.random.Generator) -> Sample:
    if sample.path == "img_6.png":
        raise ValueError("boom")
    return sample


def test_a_failing_transform_is_named():
    loader = Loader(Numbers(), [explode, *build(PLAIN)], batch_size=4)
    with pytest.raises(WorkFailedError, match=r"transform explode failed on sample 6 \(img_6\.png\): ValueError: boom"):
        list(loader.epoch(0))


def test_broken_samples_are_left_out_when_evaluating(caplog):
    loader = make(Numbers(10, broken=(0, 1, 2, 3, 5)), broken_images="skip")
    with caplog.at_level(logging.WARNING):
        assert seen(loader.epoch(0)) == [[4, 6, 7], [8, 9]]  # the first batch held nothing else
        assert seen(loader.epoch(1)) == [[4, 6, 7], [8, 9]]
    assert loader.skipped == 5 and "img_5.png" in loader.skipped_samples[5]
    assert len(caplog.records) == 5  # once per sample


def test_broken_samples_are_replaced_when_training():
    loader = make(Numbers(8, broken=(3, 7)), shuffle=True, broken_images="skip")
    assert flat(seen(loader.epoch(0))) == [0, 0, 1, 2, 4, 4, 5, 6]  # 3 -> 4 and 7 -> 0
    assert loader.skipped == 2
    with pytest.raises(DataError, match="no sample of the dataset can be read"):
        list(make(Numbers(3, broken=(0, 1, 2)), shuffle=True, broken_images="skip").epoch(0))


def test_a_slow_sample_is_named(caplog):
    class Slow(Numbers):
        def __getitem__(self, index: int) -> Sample:
            if index == 2:
                time.sleep(0.4)
            return super().__getitem__(index)

    with caplog.at_level(logging.WARNING):
        assert len(list(make(Slow(4), slow_seconds=0.1).epoch(0))) == 1
    assert "sample 2 (img_2.png)" in caplog.text


class Counting(Numbers):
    """Counts how many samples were read."""

    reads = 0

    def __getitem__(self, index: int) -> Sample:
        self.reads += 1
        return super().__getitem__(index)


def test_leaving_early_stops_the_work():
    reader = Counting(200)
    with make(reader, prefetch=2) as loader:
        for _ in loader.epoch(0):
            break
        time.sleep(0.05)
        assert reader.reads <= 4 * 5  # a batch, two ahead, and what was begun when it stopped
        assert len(list(loader.epoch(1))) == 50  # and it still works
    before = threading.active_count()
    loader.close()
    assert threading.active_count() <= before


def test_prefetch_is_bounded():
    reader = Counting(200)
    batches = make(reader, prefetch=1).epoch(0)
    next(batches)
    time.sleep(0.1)
    assert reader.reads <= 3 * 4
    batches.close()


def test_pipelines_that_cannot_work():
    with pytest.raises(ConfigError, match="must contain Normalize exactly once; they are: Resize"):
        Loader(Numbers(), build([{"Resize": {"size": 4}}]), batch_size=1)
    with pytest.raises(ConfigError, match="Resize works on uint8 pictures; put it before"):
        Loader(Numbers(), build(["Normalize", {"Resize": {"size": 4}}]), batch_size=1)
    with pytest.raises(ConfigError, match="RandomErasing works on normalised pixels; put it after"):
        Loader(Numbers(), build(["RandomErasing", "Normalize"]), batch_size=1)
    with pytest.raises(DataError, match="no samples"):
        make(Numbers(0))


@pytest.mark.sweep
def test_memory_stays_flat():
    resource = pytest.importorskip("resource")
    loader = make(Numbers(400, size=256), RANDOM, shuffle=True, batch_size=16)
    for epoch in range(3):
        list_of = [batch.images.sum() for batch in loader.epoch(epoch)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for epoch in range(3, 13):
        list_of = [batch.images.sum() for batch in loader.epoch(epoch)]
    assert len(list_of) == 25
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_000  # KiB over 4,000 samples
