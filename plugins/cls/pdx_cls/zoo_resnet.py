"""ResNet on ImageNet-1k: plain and with the vd changes, 18 to 200 layers."""

from __future__ import annotations

from pdx_cls.recipes import finetune, imagenet
from pdx_cls.zoo import Published, classifier

_PAPER = "https://arxiv.org/abs/1512.03385"
_PAPER_VD = "https://arxiv.org/abs/1812.01187"

_PUBLISHED = {
    "ResNet18": Published(11_693_736, 41.5, 71.0, 89.9, 2.35, 0.67, 6.35, 4.61),
    "ResNet18_vd": Published(11_712_968, 41.5, 72.3, None, 2.47, 0.61, 6.97, 5.15),
    "ResNet34": Published(21_801_896, 77.3, 74.6, 92.1, 3.99, 1.02, 12.42, 9.81),
    "ResNet34_vd": Published(21_821_128, 77.3, 76.0, None, 4.01, 1.03, 11.99, 9.86),
    "ResNet50": Published(25_557_032, 90.8, 76.5, 93.0, 6.44, 1.16, 15.04, 11.63),
    "ResNet50_vd": Published(25_576_264, 90.8, 79.1, 94.4, 6.04, 1.16, 16.08, 12.07),
    "ResNet50_vd_ssld": Published(25_576_264, 102.8, 82.4, 96.1),
    "ResNet101": Published(44_549_160, 158.4, 77.6, 93.6, 10.91, 2.06, 31.14, 22.93),
    "ResNet101_vd": Published(44_568_392, 158.4, 80.2, 95.0, 11.16, 2.07, 32.14, 32.14),
    "ResNet101_vd_ssld": Published(44_568_392, 179.2, 83.7, 96.7),
    "ResNet152": Published(60_192_808, 214.2, 78.3, None, 15.61, 2.90, 47.33, 36.60),
    "ResNet152_vd": Published(60_212_040, 214.3, 80.6, None, 15.96, 2.99, 49.33, 49.33),
    "ResNet200_vd": Published(74_738_504, 266.0, 80.9, None, 24.20, 3.69, 62.62, 62.62),
}
_SMALL_VD = ("ResNet18_vd", "ResNet34_vd", "ResNet50_vd")


def _model(name: str, published: Published):
    plain_name = name.removesuffix("_ssld")
    is_vd = plain_name.endswith("_vd")
    weight_decay = 7e-5 if plain_name in _SMALL_VD else 1e-4
    smoothing = 0.1 if is_vd else 0.0
    if is_vd:
        recipe = imagenet(
            epochs=200, batch=64, rate=0.1, weight_decay=weight_decay, label_smoothing=smoothing, mixup=0.2
        )
    else:
        recipe = imagenet(epochs=120, batch=64, rate=0.1, weight_decay=weight_decay, milestones=(30, 60, 90))
    return classifier(
        name,
        published,
        family="ResNet",
        head="ClsHead",
        overrides=finetune(
            published_rate=0.1, published_batch=64, weight_decay=weight_decay, label_smoothing=smoothing
        ),
        recipes={} if name != plain_name else {"imagenet": recipe},
        paper=_PAPER_VD if is_vd else _PAPER,
    )


SPECS = tuple(_model(name, published) for name, published in _PUBLISHED.items())
