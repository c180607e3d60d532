"""Trunks of detectors and segmenters under the key names of PaddleDetection and PaddleSeg."""

import golden
import paddle
import pytest

from pdx_core.plugins import get_registry
from pdx_core.weights import load_weights

FOLDER = golden.GOLDEN / "backbones"

# model whose trunk it is -> record, options, dialect
CASES = {
    "FasterRCNN-ResNet50": ("ResNet50", {"out_stages": (2,)}, "PaddleDetection"),
    "FasterRCNN-ResNet34-FPN": ("ResNet34", {}, "PaddleDetection"),
    "FasterRCNN-ResNet34-vd-FPN": ("ResNet34_vd", {}, "PaddleDetection"),
    "FasterRCNN-ResNet50-vd-FPN": ("ResNet50_vd", {"norm": "frozen", "freeze_stages": 2}, "PaddleDetection"),
    "FasterRCNN-ResNet50-vd-FPN-DCN": ("ResNet50_vd", {"dcn_stages": (1, 2, 3)}, "PaddleDetection"),
    "FasterRCNN-ResNet101-vd-FPN": ("ResNet101_vd", {}, "PaddleDetection"),
    "FasterRCNN-ResNeXt101-vd-FPN": ("ResNeXt101_vd_64x4d", {}, "PaddleDetection"),
    "FasterRCNN-ResNeXt101-vd-FPN-DCN": ("ResNeXt101_vd_64x4d", {"dcn_stages": (1, 2, 3)}, "PaddleDetection"),
    "FasterRCNN-SENet154-vd-FPN": ("SENet154_vd", {}, "PaddleDetection"),
    "FasterRCNN-Res2Net50-FPN": ("Res2Net50_26w_4s", {}, "PaddleDetection"),
    "MaskRCNN-Res2Net50-vd-FPN-DCN": ("Res2Net50_vd_26w_4s", {"dcn_stages": (1, 2, 3)}, "PaddleDetection"),
    "Cascade-FasterRCNN-ResNet50-FPN-GN": ("ResNet50", {}, "PaddleDetection"),
    "YOLOv3-MobileNetV3": ("MobileNetV3_large_x1_0", {"out_stages": (1, 2, 3)}, "PaddleDetection"),
    "YOLOv3-MobileNetV1": ("MobileNetV1_x1_0", {"out_blocks": (3, 5, 12)}, "PaddleDetection"),
    "SSD300-MobileNetV1": ("MobileNetV1_x1_0", {"out_stages": (2, 3)}, "PaddleDetection"),
    "SSD512-VGG16": ("VGG16", {"out_stages": (1, 2)}, "PaddleDetection"),
    "PicoDet-S_320": ("ESNet_x0_75", {"out_stages": (1, 2, 3)}, "PaddleDetection"),
    "FasterRCNN-HRNet_W18-FPN": ("HRNet_W18", {}, "PaddleDetection"),
    "HRNet_W18": ("HRNet_W18", {"padding": "same", "upsample": "bilinear"}, "PaddleSeg"),
    "DeepLabv3p-MobileNetV2_x1.0": ("MobileNetV2_x1_0", {}, "PaddleSeg"),
    "DeepLabv3p-Xception65": ("Xception65_deeplab", {"output_stride": 16, "out_stages": (0, 3)}, "PaddleSeg"),
    "DeepLabv3p-ResNet50_vd": ("ResNet50_vd", {"output_stride": 8, "multi_grid": (1, 2, 4)}, "PaddleSeg"),
    "DeepLabv3p-MobileNetV3_large_x1_0_ssld": ("MobileNetV3_large_x1_0", {}, "PaddleSeg"),
    "LRASPP-MobileNetV3_large_x1_0": ("MobileNetV3_large_x1_0", {"output_stride": 8}, "PaddleSeg"),
}
# The reference has no outputs for these: only names and shapes are compared.
NAMES_ONLY = {
    "YOLOv3-DarkNet53": ("DarkNet53", {"act": "leaky_relu"}, "PaddleDetection"),
    "SSD300-VGG16": ("VGG16", {}, "PaddleDetection"),
    "HRNet_W18_Small_v1": ("HRNet_W18_Small_v1", {}, "PaddleSeg"),
    "HRNet_W48": ("HRNet_W48", {}, "PaddleSeg"),
}
LARGE = (
    "FasterRCNN-ResNet101-vd-FPN",
    "FasterRCNN-ResNeXt101-vd-FPN",
    "FasterRCNN-ResNeXt101-vd-FPN-DCN",
    "FasterRCNN-SENet154-vd-FPN",
    "MaskRCNN-Res2Net50-vd-FPN-DCN",
    "DeepLabv3p-Xception65",
    "SSD512-VGG16",
    "HRNet_W48",
)


def _cases(names):
    return [pytest.param(name, marks=pytest.mark.sweep if name in LARGE else ()) for name in names]


@pytest.mark.parametrize("model", _cases(NAMES_ONLY))
def test_trunk_has_the_reference_names(model):
    record, options, dialect = NAMES_ONLY[model]
    manifest = golden.load_manifest(FOLDER / f"manifest/{model}.json.gz")
    spec = get_registry().find("backbones", record)
    net = spec.load()(**{**spec.arguments, **options})
    golden.assert_keys(manifest, net, dialect)


@pytest.mark.parametrize("model", _cases(CASES))
def test_trunk_has_the_reference_values(model):
    record, options, dialect = CASES[model]
    manifest = golden.load_manifest(FOLDER / f"manifest/{model}.json.gz")
    spec = get_registry().find("backbones", record)
    net = spec.load()(**{**spec.arguments, **options})
    net.eval()
    report = load_weights(net, golden.fill_state(manifest))
    assert report.complete, report
    assert report.dialect == dialect
    (image,) = golden.make_inputs(manifest).values()
    with paddle.no_grad():
        levels = [level.numpy() for level in net(paddle.to_tensor(image))]
    golden.assert_outputs(FOLDER / f"{model}.npz", levels)
