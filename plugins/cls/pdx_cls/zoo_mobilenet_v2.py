"""MobileNetV2 on ImageNet-1k."""

from __future__ import annotations

from pdx_cls.recipes import finetune, imagenet
from pdx_cls.zoo import Published, classifier

_PAPER = "https://arxiv.org/abs/1801.04381"

# name -> figures, channels of the convolution before the pooling
_PUBLISHED = {
    "MobileNetV2_x0_25": (Published(1_517_392, 5.5, 53.2, None, 2.80, 0.46, 3.92, 0.98), 1280),
    "MobileNetV2_x0_5": (Published(1_965_736, 7.1, 65.0, None, 3.17, 0.48, 4.52, 1.35), 1280),
    "MobileNetV2_x1_0": (Published(3_505_960, 12.6, 72.2, 90.7, 3.57, 0.49, 5.63, 2.51), 1280),
    "MobileNetV2_x1_5": (Published(6_852_712, 25.0, 74.1, None, 3.58, 0.62, 8.02, 4.49), 1920),
    "MobileNetV2_x2_0": (Published(11_262_312, 41.2, 75.2, None, 3.56, 0.74, 10.24, 6.83), 2560),
}
_NARROW = ("MobileNetV2_x0_25", "MobileNetV2_x0_5")
_WIDE = ("MobileNetV2_x1_5", "MobileNetV2_x2_0")


def _model(name: str, published: Published, hidden_channels: int):
    weight_decay = 3e-5 if name in _NARROW else 4e-5
    return classifier(
        name,
        published,
        family="MobileNetV2",
        head="ConvClsHead",
        overrides={
            "Model.head.hidden_channels": hidden_channels,
            **finetune(published_rate=0.13, published_batch=128 if name in _WIDE else 256, weight_decay=weight_decay),
        },
        recipes={"imagenet": imagenet(epochs=240, batch=64, rate=0.045, weight_decay=weight_decay)},
        paper=_PAPER,
        aliases=("MobileNetV2",) if name.endswith("_x1_0") else (),
    )


SPECS = tuple(_model(name, published, hidden) for name, (published, hidden) in _PUBLISHED.items())
