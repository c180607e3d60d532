"""PP-LCNet on ImageNet-1k."""

from __future__ import annotations

from pdx_cls.recipes import finetune, imagenet
from pdx_cls.zoo import Published, classifier

_PAPER = "https://arxiv.org/abs/2109.15099"

_PUBLISHED = {
    "PP-LCNet_x0_25": Published(1_521_184, 5.5, 51.86, None, 1.89, 0.45, 2.49, 0.68),
    "PP-LCNet_x0_35": Published(1_643_090, 5.9, 58.09, None, 1.94, 0.41, 2.73, 0.77),
    "PP-LCNet_x0_5": Published(1_879_576, 6.7, 63.14, None, 2.28, 0.42, 2.86, 0.83),
    "PP-LCNet_x0_75": Published(2_357_008, 8.4, 68.18, None, 2.30, 0.41, 2.95, 1.07),
    "PP-LCNet_x1_0": Published(2_952_520, 10.5, 71.32, None, 2.35, 0.47, 4.03, 1.35),
    "PP-LCNet_x1_5": Published(4_499_832, 16.0, 73.71, None, 2.33, 0.53, 4.17, 2.29),
    "PP-LCNet_x2_0": Published(6_521_512, 23.2, 75.18, None, 2.40, 0.51, 5.37, 3.46),
    "PP-LCNet_x2_5": Published(9_017_560, 32.1, 76.60, None, 2.36, 0.61, 6.29, 5.05),
}
_WIDE = ("PP-LCNet_x1_5", "PP-LCNet_x2_0", "PP-LCNet_x2_5")


def _model(name: str, published: Published):
    wide = name in _WIDE
    shared = {"weight_decay": 4e-5 if wide else 3e-5, "label_smoothing": 0.1, "decay_norms": False}
    recipe = imagenet(epochs=360, batch=512, rate=0.8, warmup_epochs=5, auto_augment=name == "PP-LCNet_x2_5", **shared)
    return classifier(
        name,
        published,
        family="PP-LCNet",
        head="WideClsHead",
        overrides=finetune(published_rate=0.1, published_batch=128 if wide else 256, **shared),
        recipes={"imagenet": recipe},
        paper=_PAPER,
        aliases=(name.replace("PP-LCNet", "PPLCNet"),),  # as PaddleClas spells it
    )


SPECS = tuple(_model(name, published) for name, published in _PUBLISHED.items())
