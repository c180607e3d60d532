"""MobileNetV3 on ImageNet-1k."""

from __future__ import annotations

from pdx_cls.recipes import finetune, imagenet
from pdx_cls.zoo import Published, classifier

_PAPER = "https://arxiv.org/abs/1905.02244"

# name -> figures, width of the convolution before the pooling
_PUBLISHED = {
    "MobileNetV3_large_x0_35": (Published(2_104_328, 7.5, 64.3, None, 3.70, 0.60, 5.54, 1.41), 336),
    "MobileNetV3_large_x0_5": (Published(2_673_422, 9.6, 69.2, None, 3.79, 0.62, 6.76, 1.61), 480),
    "MobileNetV3_large_x0_75": (Published(3_912_248, 14.0, 73.1, None, 4.82, 0.66, 7.45, 2.00), 720),
    "MobileNetV3_large_x1_0": (Published(5_480_206, 19.5, 75.3, 93.2, 4.86, 0.68, 6.88, 2.61), 960),
    "MobileNetV3_large_x1_0_ssld": (Published(5_480_206, 21.0, 79.0, 94.5), 960),
    "MobileNetV3_large_x1_25": (Published(7_443_308, 26.5, 76.4, None, 5.08, 0.71, 7.37, 3.58), 1200),
    "MobileNetV3_small_x0_35": (Published(1_665_954, 6.0, 53.0, None, 3.49, 0.60, 4.63, 1.07), 200),
    "MobileNetV3_small_x0_5": (Published(1_902_536, 6.8, 59.2, None, 3.41, 0.57, 5.60, 1.14), 288),
    "MobileNetV3_small_x0_75": (Published(2_375_106, 8.5, 66.0, None, 3.49, 0.60, 5.19, 1.28), 432),
    "MobileNetV3_small_x1_0": (Published(2_939_958, 10.5, 68.2, 88.1, 3.76, 0.53, 5.11, 1.43), 576),
    "MobileNetV3_small_x1_0_ssld": (Published(2_939_958, 12.0, 71.3, 90.1), 576),
    "MobileNetV3_small_x1_25": (Published(3_627_370, 13.0, 70.7, None, 4.23, 0.58, 6.48, 1.68), 720),
}
_WEIGHT_DECAY = {
    "MobileNetV3_small_x0_35": 1e-5,
    "MobileNetV3_small_x0_5": 1e-5,
    "MobileNetV3_large_x1_25": 4e-5,
}


def _model(name: str, published: Published, squeeze_channels: int):
    plain_name = name.removesuffix("_ssld")
    large = "_large_" in name
    reference = plain_name == "MobileNetV3_large_x1_0"  # trained with a smaller batch and AutoAugment
    shared = {"weight_decay": _WEIGHT_DECAY.get(plain_name, 2e-5), "label_smoothing": 0.1, "decay_norms": False}
    head = {"Model.head.squeeze_channels": squeeze_channels}
    recipe = imagenet(
        epochs=360,
        batch=256 if reference else 512,
        rate=0.65 if reference else 1.3,
        warmup_epochs=5,
        auto_augment=reference,
        **shared,
    )
    return classifier(
        name,
        published,
        family="MobileNetV3",
        head="WideClsHead",
        overrides={**head, **finetune(published_rate=0.13, published_batch=128 if large else 256, **shared)},
        recipes={} if name != plain_name else {"imagenet": recipe},
        paper=_PAPER,
        aliases=(name.replace("_x1_0", ""),) if "_x1_0" in name else (),
    )


SPECS = tuple(_model(name, published, squeeze) for name, (published, squeeze) in _PUBLISHED.items())
