"""What the loops hand to the task: targets of a batch, and evaluation whole, by tiles and in several views."""

from __future__ import annotations

import numpy as np
import pytest
from test_seg_predict import CLASSES, NORMALIZE, Colours, picture

from pdx_core.config import resolve
from pdx_core.data.batch import Batch
from pdx_core.data.loader import Loader
from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError, DataError
from pdx_core.transforms.build import build
from pdx_seg.metrics import MeanIou
from pdx_seg.task import SegTask


def task(*overrides, transforms=(NORMALIZE,)):
    config = resolve("FastSCNN", overrides=[*overrides]).config
    config.data.eval_transforms = transforms
    return SegTask(config, CLASSES)


class Pictures:
    """A reader of pictures whose mask says which colour is strongest."""

    classes = CLASSES

    def __init__(self, *sizes):
        self.sizes = sizes

    def __len__(self):
        return len(self.sizes)

    def __getitem__(self, index):
        image, labels = picture(*self.sizes[index], seed=index)
        labels = labels.astype(np.uint8)
        labels[:2] = 255
        return Sample(
            image=np.ascontiguousarray(image[..., ::-1]),
            label_map=labels,
            path=f"{index}.png",
            id=index,
            size=labels.shape,
        )


def batch_of(samples, height, width):
    shapes = np.array([sample.im_shape or sample.label_map.shape for sample in samples], np.float32)
    return Batch(
        images=np.zeros((len(samples), 3, height, width), np.float32),
        samples=samples,
        im_shape=shapes,
        scale_factor=np.ones((len(samples), 2), np.float32),
    )


def test_targets_are_padded_with_the_ignored_value():
    samples = [
        Sample(image=None, label_map=np.full((3, 4), 2, np.uint8)),
        Sample(image=None, label_map=np.array([[0, 255], [1, 1]], np.uint8)),
    ]
    targets = task().collate(samples, batch_of(samples, 4, 6))
    assert list(targets) == ["label_map"] and targets["label_map"].dtype == np.int64
    assert (targets["label_map"][0, :3, :4] == 2).all() and (targets["label_map"] == 2).sum() == 12
    assert targets["label_map"][1, :2, :2].tolist() == [[0, 255], [1, 1]]
    assert (targets["label_map"][1] == 255).sum() == 24 - 3


@pytest.mark.parametrize(
    ("label_map", "shape", "message"),
    [
        (None, (2, 2), "has no mask"),
        (np.full((2, 2), 3, np.uint8), (2, 2), "holds the value 3, but there are 3 classes"),
        (np.zeros((2, 3), np.uint8), (3, 3), "the mask is 3 x 2 pixels, the image 3 x 3"),
        (np.zeros((9, 3), np.uint8), (3, 3), "the mask is 3 x 9 pixels"),
    ],
)
def test_masks_that_cannot_be_trained_on_are_named(label_map, shape, message):
    sample = Sample(image=None, label_map=label_map, path="a/b.png", im_shape=shape)
    with pytest.raises(DataError, match=f"a/b.png: .*{message}"):
        task().collate([sample], batch_of([sample], 4, 4))


def evaluated(reader, seg_task, runner, transforms, batch_size):
    """What `pdx_core.train.evaluate` does, with any function in the place of the network."""
    metric, results = MeanIou(CLASSES), []
    loader = Loader(reader, build(transforms), batch_size=batch_size, workers=0)
    for batch in loader.epoch(0):
        feed = {"images": batch.images, "im_shape": batch.im_shape, "scale_factor": batch.scale_factor}
        found = seg_task.results(seg_task.run(runner, feed), batch.samples)
        metric.update(found, [sample.truth for sample in batch.samples])
        results += [result.label_map for result in found]
    return metric.compute(), results


def test_evaluation_at_the_original_size():
    reader = Pictures((60, 80), (50, 90), (50, 90))
    found, maps = evaluated(reader, task(), Colours(), (NORMALIZE,), 2)
    assert found["mIoU"] == found["Acc"] == 1.0
    assert [labels.shape for labels in maps] == list(reader.sizes)
    resize = {"Resize": {"size": [48, 64]}}
    resized, maps = evaluated(reader, task(), Colours(stride=4), (resize, NORMALIZE), 2)
    assert 0.8 < resized["mIoU"] < 1.0 and [labels.shape for labels in maps] == list(reader.sizes)


class SeesEverything(Colours):
    """A network with a global pooling: padding anywhere changes its answer everywhere."""

    def __call__(self, feed):
        outputs = super().__call__(feed)
        logits = outputs["logits"] - outputs["logits"].mean(axis=(2, 3), keepdims=True)
        return {"label_map": logits.argmax(axis=1).astype(np.int32), "logits": logits}


@pytest.mark.parametrize("multiple", [1, 32])
def test_no_result_depends_on_its_neighbours(multiple):
    reader = Pictures((60, 80), (50, 90), (50, 90), (64, 96), (20, 30))
    transforms = ({"Normalize": {**NORMALIZE["Normalize"], "pad_multiple": multiple}},)
    seg_task = task(transforms=transforms)
    _, alone = evaluated(reader, seg_task, SeesEverything(), transforms, 1)
    runner = SeesEverything()
    _, together = evaluated(reader, seg_task, runner, transforms, 5)
    assert all((one == other).all() for one, other in zip(alone, together, strict=True))
    assert [shape[0] for shape in runner.shapes] == [1, 2, 1, 1]  # those of one size still go together


def test_evaluation_by_tiles_and_views():
    reader = Pictures((100, 150), (60, 60))
    runner = Colours()
    overrides = ("Evaluate.tiles={size: [64, 96], overlap: 0.25}",)
    found, _ = evaluated(reader, task(*overrides), runner, (NORMALIZE,), 2)
    assert found["mIoU"] == 1.0
    assert runner.shapes == [(1, 3, 64, 96)] * 4 + [(1, 3, 60, 60)]
    views = Colours(stride=4)
    found, _ = evaluated(
        reader, task(*overrides, "Evaluate.test_time={scales: [1.0, 0.5], flip: true}"), views, (NORMALIZE,), 2
    )
    assert len(views.shapes) == 4 * 5 and found["mIoU"] > 0.9
    whole, _ = evaluated(reader, task("Evaluate.test_time.flip=true"), Colours(), (NORMALIZE,), 2)
    assert whole["mIoU"] == 1.0


def test_plain_outputs_of_a_head_are_understood_too():
    reader = Pictures((60, 80))
    sample = reader[0]
    feed = {
        "images": sample.image.transpose(2, 0, 1)[None].astype(np.float32),
        "im_shape": np.array([[60, 80]], np.float32),
        "scale_factor": np.ones((1, 2), np.float32),
    }
    (result,) = task().results(Colours()(feed), [sample])
    assert (result.label_map[2:] == sample.label_map[2:]).all() and result.input_path == "0.png"


def test_merging_has_no_options():
    with pytest.raises(ConfigError, match="averages the probabilities"):
        task("Evaluate.test_time={flip: true, merge: {iou: 0.5}}")
