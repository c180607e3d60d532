"""The heavy half of the toy plugin."""

import os
import time

import numpy as np
import paddle
import paddle.nn.functional as F
from paddle import nn

from pdx_core.contracts import FeatureSpec
from pdx_core.data.sample import Sample
from pdx_core.errors import DataError


class Flat(nn.Layer):
    features = (FeatureSpec(channels=3, stride=1),)

    def forward(self, images):
        return (images,)


class Conv(nn.Layer):
    features = (FeatureSpec(channels=6, stride=2),)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2D(3, 6, 3, stride=2, padding=1, bias_attr=False)
        self.norm = nn.BatchNorm2D(6)

    def forward(self, images):
        return (F.relu(self.norm(self.conv(images))),)


class Head(nn.Layer):
    def __init__(self, features, num_classes, dropout=0.0):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(features[-1].channels * 4, num_classes)

    def forward(self, features, image_info=None):
        return self.fc(self.dropout(F.adaptive_avg_pool2d(features[-1], 2).flatten(1)))

    def loss(self, features, targets):
        logits = self(features)
        return {"loss_ce": F.cross_entropy(logits, targets["label"]), "loss_size": 0.001 * logits.square().mean()}

    def decode(self, raw, image_info=None):
        return {"scores": F.softmax(raw)}


class ToyReader:
    """`toy.txt`: number of training and validation samples; "nan" or "broken" with an index spoil one."""

    classes = ("red", "green", "blue")

    def __init__(self, root, split):
        words = (root / "toy.txt").read_text().split()
        self.split = split
        self._count = int(words[0] if split == "train" else words[1])
        self._spoilt = (words[2], int(words[3])) if len(words) > 2 and split == "train" else ("", -1)
        self._pause = float(os.environ.get("TOY_SECONDS_PER_SAMPLE", "0"))

    def __len__(self):
        return self._count

    def __getitem__(self, index):
        time.sleep(self._pause)
        if self._spoilt == ("broken", index):
            raise DataError(f"photo_{index}.jpg: cannot be decoded; replace the file")
        rng = np.random.default_rng((index, self.split == "train"))
        image = rng.integers(0, 120, (8, 8, 3), dtype=np.uint8)
        label = index % 3
        image[..., label] += 60
        return Sample(image=image, label=label, path=f"photo_{index}.jpg", id=index, size=(8, 8))


class ToyTask:
    metric_prefix = "val."

    def __init__(self, config, classes):
        self.classes = classes

    def collate(self, samples, batch):
        if any(os.environ.get("TOY_NAN") == str(sample.id) for sample in samples):
            batch.images[:] = np.nan
        return {"label": np.asarray([sample.label for sample in samples], np.int64)}

    def results(self, outputs, samples):
        return [int(scores.argmax()) for scores in outputs["scores"]]


class Accuracy:
    def __init__(self, classes):
        self.right, self.total = 0, 0

    def update(self, results, samples):
        self.right += sum(result == sample.label for result, sample in zip(results, samples, strict=True))
        self.total += len(results)

    def compute(self):
        return {"accuracy": self.right / self.total, "samples": float(self.total)}

    def state(self):
        return (self.right, self.total)

    def merge(self, states):
        self.right, self.total = (sum(column) for column in zip(*states, strict=True))


def parameters_of(path):
    """The arrays of a weight file, read by Paddle itself."""
    return {name: np.asarray(tensor) for name, tensor in paddle.load(str(path)).items()}
