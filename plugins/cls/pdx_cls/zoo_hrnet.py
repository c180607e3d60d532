"""HRNet on ImageNet-1k."""

from __future__ import annotations

from pdx_cls.recipes import finetune, imagenet
from pdx_cls.zoo import LEGENDARY, Published, classifier

SPECS = (
    classifier(
        "HRNet_W18_C",
        Published(21_295_164, None, 76.92, 93.39),
        family="HRNet",
        head="HRNetClsHead",
        backbone="HRNet_W18",
        overrides=finetune(published_rate=0.1, published_batch=64, weight_decay=1e-4),
        recipes={"imagenet": imagenet(epochs=120, batch=64, rate=0.1, weight_decay=1e-4, milestones=(30, 60, 90))},
        paper="https://arxiv.org/abs/1908.07919",
        weights_at=LEGENDARY,
    ),
)
