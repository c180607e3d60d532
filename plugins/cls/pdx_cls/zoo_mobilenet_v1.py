"""MobileNetV1 on ImageNet-1k."""

from __future__ import annotations

from pdx_cls.recipes import finetune, imagenet
from pdx_cls.zoo import Published, classifier

_PAPER = "https://arxiv.org/abs/1704.04861"

_PUBLISHED = {
    "MobileNetV1_x0_25": Published(470_072, 1.8, 51.4, None, 1.32, 0.30, 2.04, 0.58),
    "MobileNetV1_x0_5": Published(1_331_592, 4.8, 63.5, None, 1.39, 0.28, 2.74, 1.02),
    "MobileNetV1_x0_75": Published(2_585_560, 9.3, 68.8, None, 1.75, 0.33, 3.41, 1.57),
    "MobileNetV1_x1_0": Published(4_231_976, 15.2, 71.0, 89.7, 1.89, 0.34, 4.01, 2.17),
}
_WEIGHT_DECAY = 3e-5


def _model(name: str, published: Published):
    recipe = imagenet(epochs=120, batch=64, rate=0.1, weight_decay=_WEIGHT_DECAY, milestones=(30, 60, 90))
    return classifier(
        name,
        published,
        family="MobileNetV1",
        head="ClsHead",
        overrides=finetune(published_rate=0.1, published_batch=64, weight_decay=_WEIGHT_DECAY),
        recipes={"imagenet": recipe},
        paper=_PAPER,
        aliases=("MobileNetV1",) if name.endswith("_x1_0") else (),
    )


SPECS = tuple(_model(name, published) for name, published in _PUBLISHED.items())
