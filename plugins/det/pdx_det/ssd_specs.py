"""The necks and the head of SSD, as records."""

from __future__ import annotations

from pdx_core.specs import HeadSpec, NeckSpec

# Channels of the 1x1 convolution and of the level, kernel, stride, padding.
VGG300_LEVELS = ((256, 512, 3, 2, 1), (128, 256, 3, 2, 1), (128, 256, 3, 1, 0), (128, 256, 3, 1, 0))
VGG512_LEVELS = ((256, 512, 3, 2, 1), *((128, 256, 3, 2, 1),) * 3, (128, 256, 4, 1, 1))
MOBILENET_LEVELS = ((256, 512, 3, 2, 1), (128, 256, 3, 2, 1), (128, 256, 3, 2, 1), (64, 128, 3, 2, 1))
RESNET_LEVELS = ((256, 512, 3, 2, 1), (256, 512, 3, 2, 1), (128, 256, 3, 2, 1), *((128, 256, 3, 1, 0),) * 2)


def _neck(name: str, summary: str, **arguments) -> NeckSpec:
    return NeckSpec(
        name=name,
        target="pdx_det.necks.ssd_extras:SSDExtras",
        options="pdx_det.ssd_options:SSDExtrasOptions",
        arguments=arguments,
        summary=summary,
    )


NECKS = (
    _neck("SSDVGG300Extras", "four more levels behind VGG16, for 300 px", levels=VGG300_LEVELS, l2_norm=True),
    _neck("SSDVGG512Extras", "five more levels behind VGG16, for 512 px", levels=VGG512_LEVELS, l2_norm=True),
    _neck(
        "SSDMobileNetExtras",
        "four more levels behind MobileNetV1",
        levels=MOBILENET_LEVELS,
        normalized=True,
        spelling="mobilenet",
    ),
    _neck("SSDResNetExtras", "five more levels behind ResNet34", levels=RESNET_LEVELS, spelling="resnet"),
)
HEADS = (
    HeadSpec(
        name="SSDHead",
        task="det",
        target="pdx_det.ssd:SSDHead",
        options="pdx_det.ssd_options:SSDHeadOptions",
        summary="priors of fixed shape on every level, one convolution for boxes and one for scores",
    ),
)
