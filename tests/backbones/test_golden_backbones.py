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
    "FasterRCNN-ResNeXt101-vd-FPN": ("ResNet101_vd", {"groups": 64, "group_width": 4}, "PaddleDetection"),
    "Cascade-FasterRCNN-ResNet50-FPN-GN": ("ResNet50", {}, "PaddleDetection"),
    "YOLOv3-MobileNetV3": ("MobileNetV3_large_x1_0", {"out_stages": (1, 2, 3)}, "PaddleDetection"),
    "DeepLabv3p-ResNet50_vd": ("ResNet50_vd", {"output_stride": 8, "multi_grid": (1, 2, 4)}, "PaddleSeg"),
    "DeepLabv3p-MobileNetV3_large_x1_0_ssld": ("MobileNetV3_large_x1_0", {}, "PaddleSeg"),
    "LRASPP-MobileNetV3_large_x1_0": ("MobileNetV3_large_x1_0", {"output_stride": 8}, "PaddleSeg"),
}
LARGE = ("FasterRCNN-ResNet101-vd-FPN", "FasterRCNN-ResNeXt101-vd-FPN")


@pytest.mark.parametrize(
    "model", [pytest.param(name, marks=pytest.mark.sweep if name in LARGE else ()) for name in CASES]
)
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
    for comparison in golden.compare_outputs(
        golden.load_golden(FOLDER / f"{model}.npz"), levels, golden.RTOL, golden.ATOL
    ):
        assert comparison, str(comparison)
