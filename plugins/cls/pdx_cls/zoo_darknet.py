"""DarkNet53 on ImageNet-1k, at 256 x 256."""

from __future__ import annotations

from pdx_cls.recipes import finetune, imagenet
from pdx_cls.zoo import CLAS, Published, classifier

_SHARED = {"weight_decay": 1e-4, "label_smoothing": 0.1, "size": 256}

SPECS = (
    classifier(
        "DarkNet53",
        Published(41_609_928, 166.9, 78.0, 94.1),
        family="DarkNet",
        head="ClsHead",
        overrides={
            "Model.head.release_key": "_out",
            **finetune(published_rate=0.1, published_batch=64, **_SHARED),
        },
        recipes={"imagenet": imagenet(epochs=200, batch=64, rate=0.1, mixup=0.2, **_SHARED)},
        paper="https://arxiv.org/abs/1804.02767",
        size=256,
        short_side=292,
        weights_at=CLAS,
    ),
)
