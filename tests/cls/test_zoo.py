"""The rows of the zoo: complete, consistent with their components, resolvable, light."""

import subprocess
import sys

import pytest

from pdx_cls.imagenet import class_names
from pdx_core.config import resolve
from pdx_core.plugins import get_registry
from pdx_core.transforms.names import check_names

MODELS = [entry.spec for entry in get_registry().entries("models") if entry.plugin == "cls"]
each_model = pytest.mark.parametrize("spec", [pytest.param(spec, id=spec.name) for spec in MODELS])


def test_the_families_are_complete():
    names = {spec.name for spec in MODELS}
    expected = {f"ResNet{depth}{form}" for depth in (18, 34, 50, 101, 152) for form in ("", "_vd")} | {"ResNet200_vd"}
    expected |= {"ResNet50_vd_ssld", "ResNet101_vd_ssld", "MobileNetV3_large_x1_0_ssld", "MobileNetV3_small_x1_0_ssld"}
    widths = ("x0_35", "x0_5", "x0_75", "x1_0", "x1_25")
    expected |= {f"MobileNetV3_{size}_{width}" for size in ("large", "small") for width in widths}
    expected |= {f"PP-LCNet_x{width}" for width in ("0_25", "0_35", "0_5", "0_75", "1_0", "1_5", "2_0", "2_5")}
    expected |= {f"MobileNetV1_x{width}" for width in ("0_25", "0_5", "0_75", "1_0")}
    expected |= {f"MobileNetV2_x{width}" for width in ("0_25", "0_5", "1_0", "1_5", "2_0")}
    expected |= {"DarkNet53", "HRNet_W18_C", "Xception41", "Xception65", "Xception71", "Xception41_deeplab"}
    assert expected <= names


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("MobileNetV3_large", "MobileNetV3_large_x1_0"),
        ("mobilenetv3-small-ssld", "MobileNetV3_small_x1_0_ssld"),
        ("PPLCNet_x1_0", "PP-LCNet_x1_0"),
        ("pp_lcnet_x2_5", "PP-LCNet_x2_5"),
        ("MobileNetV1", "MobileNetV1_x1_0"),
        ("MobileNetV2", "MobileNetV2_x1_0"),
    ],
)
def test_other_spellings(alias, name):
    assert get_registry().find("models", alias).name == name


@each_model
def test_row_is_complete(spec):
    registry = get_registry()
    assert registry.find("backbones", spec.backbone)
    assert registry.find("heads", spec.head).task == "cls"
    assert spec.num_classes == 1000
    assert spec.params
    assert spec.weights[0].url.endswith(".pdparams")
    top1 = next(score for score in spec.scores if score.metric == "top1")
    assert 50 < top1.value < 90
    assert top1.source == "published"
    if spec.file_mb:  # not published for every model
        assert spec.file_mb * 2**20 / 4 == pytest.approx(spec.params, rel=0.2)  # float32, rounded in several ways


@each_model
def test_defaults_and_recipes_resolve(spec):
    for config in (
        resolve(spec.name).config,
        *(resolve(spec.name, flags={"Global.recipe": name}).config for name in spec.recipes),
    ):
        check_names(config.data.train_transforms)
        check_names(config.data.eval_transforms)
        check_names(config.data.batch_transforms, batch=True)
        assert config.train.warmup_steps < config.train.epochs_iters


def test_fine_tuning_rate_is_the_published_one_scaled_to_one_device():
    train = resolve("ResNet50").config.train  # published: 0.1 for 4 devices with 64 images
    assert train.learning_rate == pytest.approx(0.1 * 32 / 256, rel=0.05)
    assert (train.epochs_iters, train.warmup_steps, train.pretrain_weight_path) == (20, 5, "official")


def test_imagenet_recipe_is_the_published_one():
    config = resolve("MobileNetV3_large_x1_0", flags={"Global.recipe": "imagenet"}).config
    train = config.train
    assert (train.epochs_iters, train.batch_size, train.learning_rate, train.warmup_steps) == (360, 256, 0.65, 5)
    assert train.pretrain_weight_path is None
    assert train.optimizer.weight_decay == 2e-5
    assert train.optimizer.no_decay == ("norm",)
    assert config.model.head.options["label_smoothing"] == 0.1
    assert any("AutoAugment" in entry for entry in config.data.train_transforms)


def test_class_names():
    names = class_names()
    assert len(names) == 1000
    assert names[296] == "ice bear, polar bear, Ursus Maritimus, Thalarctos maritimus"
    assert (names[0], names[356]) == ("tench", "weasel")


def test_zoo_is_light():
    code = """
import sys
from pdx_core.plugins import get_registry
from pdx_core.config import resolve

own = [problem for problem in get_registry().problems if problem.plugin in ("core", "backbones", "cls")]
assert not own, own  # another plugin may lack one that is not installed
resolve("ResNet50")
print(sorted({"paddle", "numpy", "cv2", "matplotlib"} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
