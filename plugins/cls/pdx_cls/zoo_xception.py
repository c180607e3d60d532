"""Xception on ImageNet-1k, at 299 x 299.

What PaddleX 1.x listed as Xception41 and Xception65 are the weights that PaddleClas calls `_deeplab`.
"""

from __future__ import annotations

from pdx_cls.recipes import finetune, imagenet
from pdx_cls.zoo import CLAS, Published, classifier

_PAPER = "https://arxiv.org/abs/1610.02357"
_PAPER_DEEPLAB = "https://arxiv.org/abs/1802.02611"

_PUBLISHED = {
    "Xception41": Published(22_919_600, None, 79.30, 94.53),
    "Xception41_deeplab": Published(26_969_560, 92.4, 79.6, 94.4),
    "Xception65": Published(35_866_352, None, 81.00, 95.49),
    "Xception65_deeplab": Published(39_916_312, 144.6, 80.3, 94.5),
    "Xception71": Published(37_678_496, None, 81.11, 95.45),
}
_SHARED = {"weight_decay": 1e-4, "label_smoothing": 0.1, "size": 299}


def _model(name: str, published: Published):
    deeplab = name.endswith("_deeplab")
    head = {"Model.head.release_key": "_fc" if deeplab else "_exit_flow._out"}
    if deeplab:
        head |= {"Model.head.dropout": 0.5, "Model.head.dropout_mode": "downscale_in_infer"}
    if name == "Xception71":
        recipe = imagenet(epochs=200, batch=32, rate=0.0225, mixup=0.2, **_SHARED)
    else:
        recipe = imagenet(epochs=120, batch=64, rate=0.045, **_SHARED)
    return classifier(
        name,
        published,
        family="Xception",
        head="ClsHead",
        overrides={**head, **finetune(published_rate=0.045, published_batch=64, **_SHARED)},
        recipes={"imagenet": recipe},
        paper=_PAPER_DEEPLAB if deeplab else _PAPER,
        size=299,
        short_side=320,
        weights_at=CLAS,
    )


SPECS = tuple(_model(name, published) for name, published in _PUBLISHED.items())
