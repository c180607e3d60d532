"""Every detector of the published lists that has dynamic weights, or shares its network with one, is in the zoo."""

import detgolden
import pytest

from pdx_core.plugins import get_registry

# Name in the published lists: further spellings there
PUBLISHED: dict[str, tuple[str, ...]] = {
    "BlazeFace": (),
    "BlazeFace-NAS": (),
    "BlazeFace-NAS_V2": (),
    "Cascade-FasterRCNN-ResNeXt101-vd-FPN-DCN": (
        "Cascade-FasterRCNN-ResNeXt101_vd-FPN-DCN",
        "Cascade-FasterRCNN-ResNeXt101-vd-64x4d-FPN-DCN",
    ),
    "Cascade-FasterRCNN-ResNet101-vd-FPN-DCN": ("Cascade-FasterRCNN-ResNet101_vd-FPN-DCN",),
    "Cascade-FasterRCNN-ResNet50-FPN": (),
    "Cascade-FasterRCNN-ResNet50-FPN-DCN": (),
    "FasterRCNN-HRNet_W18-FPN": (),
    "FasterRCNN-Res2Net50-FPN": (),
    "FasterRCNN-ResNeXt101-vd-FPN": ("FasterRCNN-ResNeXt101_vd-FPN", "FasterRCNN-ResNeXt101-vd-64x4d-FPN"),
    "FasterRCNN-ResNeXt101-vd-FPN-DCN": ("FasterRCNN-ResNeXt101_vd-FPN-DCN", "FasterRCNN-ResNeXt101-vd-64x4d-FPN-DCN"),
    "FasterRCNN-ResNet101": (),
    "FasterRCNN-ResNet101-FPN": (),
    "FasterRCNN-ResNet101-vd-FPN": ("FasterRCNN-ResNet101_vd-FPN",),
    "FasterRCNN-ResNet101-vd-FPN-DCN": ("FasterRCNN-ResNet101_vd-FPN-DCN",),
    "FasterRCNN-ResNet50": (),
    "FasterRCNN-ResNet50-FPN": (),
    "FasterRCNN-ResNet50-FPN-DCN": (),
    "FasterRCNN-ResNet50-FPN-GN": (),
    "FasterRCNN-ResNet50-vd": ("FasterRCNN-ResNet50_vd",),
    "FasterRCNN-ResNet50-vd-FPN": ("FasterRCNN-ResNet50_vd-FPN",),
    "FasterRCNN-ResNet50-vd-FPN-CIoU": ("FasterRCNN-ResNet50_vd-FPN-CIoU",),
    "FasterRCNN-ResNet50-vd-FPN-DCN": ("FasterRCNN-ResNet50_vd-FPN-DCN",),
    "FasterRCNN-ResNet50-vd-FPN-DIoU": ("FasterRCNN-ResNet50_vd-FPN-DIoU",),
    "FasterRCNN-ResNet50-vd-FPN-GIoU": ("FasterRCNN-ResNet50_vd-FPN-GIoU",),
    "FasterRCNN-SENet154-vd-FPN": ("FasterRCNN-SENet154_vd-FPN",),
    "PPYOLO": ("PP-YOLO", "PP-YOLO_2x"),
    "RetinaNet-ResNeXt101-vd-FPN": ("RetinaNet-ResNeXt101_vd-FPN", "RetinaNet-ResNeXt101-vd-64x4d-FPN"),
    "RetinaNet-ResNet101-FPN": (),
    "RetinaNet-ResNet50-FPN": (),
    "SSD300-MobileNetV1": ("MobileNet-SSD",),
    "SSD300-VGG16": ("VGG-SSD 300",),
    "SSD512-VGG16": ("VGG-SSD 512",),
    "YOLOv3-DarkNet53": (),
    "YOLOv3-MobileNetV1": ("YOLOv3-MobileNetv1",),
    "YOLOv3-MobileNetV3": ("YOLOv3-MobileNetv3", "YOLOv3-MobileNetV3_large"),
    "YOLOv3-ResNet34": (),
    "YOLOv3-ResNet50_vd_DCN": (),
    "YOLOv3-ResNet50_vd_DCN-DropBlock": (),
    "YOLOv3-ResNet50_vd_DCN-DropBlock-IoUAware": (),
    "YOLOv3-ResNet50_vd_DCN-DropBlock-IoULoss": (),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_detectors_are_registered(name):
    registry = get_registry()
    spec = registry.find("models", name)
    assert spec.task == "det"
    for spelling in PUBLISHED[name]:
        assert registry.find("models", spelling) is spec


def test_every_golden_manifest_has_a_model():
    names = {path.name.removesuffix(".json.gz") for path in (detgolden.GOLDEN / "det/manifest").iterdir()}
    assert names <= {entry.spec.name for entry in get_registry().entries("models")}
