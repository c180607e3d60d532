"""The rows of the zoo: complete, resolvable, fine-tuned from what they say."""

import golden
import pytest

from pdx_core import build_network, load_weights
from pdx_core.config import resolve
from pdx_core.dialects import name_tables
from pdx_core.plugins import get_registry
from pdx_core.train.pretrained import load_pretrained
from pdx_core.transforms.names import check_names
from pdx_core.weights import save_weights
from pdx_seg.cityscapes import class_names
from pdx_seg.zoo import _ROWS

MODELS = [entry.spec for entry in get_registry().entries("models") if entry.plugin == "seg"]
each_model = pytest.mark.parametrize("spec", MODELS, ids=lambda spec: spec.name)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("Fast-SCNN", "FastSCNN"),
        ("hrnet-w18-small-V1", "HRNet_W18_Small_v1"),
        ("FCN-HRNet_W18", "HRNet_W18"),
        ("DeepLabv3+/Xception65", "DeepLabv3p-Xception65"),
        ("DeepLabv3+/MobileNetV2", "DeepLabv3p-MobileNetV2_x1.0"),
        ("DeepLabv3-MobileNetV3_large_x1_0_ssld", "DeepLabv3-MobileNetV3_large_x1_0_ssld"),
    ],
)
def test_other_spellings(alias, name):
    assert get_registry().find("models", alias).name == name


@each_model
def test_row_is_complete(spec):
    registry = get_registry()
    assert registry.find("backbones", spec.backbone)
    assert registry.find("heads", spec.head).task == "seg"
    assert spec.num_classes == len(class_names()) == 19
    assert spec.labels == "pdx_seg.cityscapes:class_names"
    assert all(60 < score.value < 85 for score in spec.scores)
    if spec.file_mb:
        assert spec.file_mb * 2**20 / 4 == pytest.approx(spec.params, rel=0.1)


@each_model
def test_defaults_and_recipe_resolve(spec):
    plain = resolve(spec.name).config
    recipe = resolve(spec.name, flags={"Global.recipe": "cityscapes"}).config
    for config in (plain, recipe):
        check_names(config.data.train_transforms)
        check_names(config.data.eval_transforms)
        assert (config.train.unit, config.train.schedule.name) == ("iteration", "poly")
        assert config.train.warmup_steps < config.train.epochs_iters
    assert plain.train.learning_rate == pytest.approx(
        recipe.train.learning_rate * plain.train.batch_size / (4 * recipe.train.batch_size), rel=0.05
    )
    assert recipe.train.epochs_iters >= 80_000


def test_recipe_is_the_published_one():
    config = resolve("FastSCNN", flags={"Global.recipe": "cityscapes"}).config
    train = config.train
    assert (train.epochs_iters, train.batch_size, train.learning_rate) == (160_000, 4, 0.05)
    assert (train.schedule.end_lr, train.schedule.power, train.optimizer.weight_decay) == (1e-4, 0.9, 4e-5)
    assert config.data.train_transforms[1]["RandomCrop"]["size"] == [1024, 1024]
    light = resolve("LRASPP-MobileNetV3_large_x1_0", flags={"Global.recipe": "cityscapes"}).config
    assert light.model.head.options["losses"] == ({"name": "ohem", "min_kept": 130_000},)
    assert light.train.warmup_steps == 1000


def _classifier(row):
    """The classifier whose published weights hold the trunk of a row."""
    name = row.trunk.file.rpartition("/")[2].removesuffix("_ssld")
    return {"MobileNetV2": "MobileNetV2_x1_0"}.get(name, name)


TRUNKS = {row.trunk.file: row for row in _ROWS if row.trunk and "W48" not in row.trunk.file}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=row.name, marks=pytest.mark.sweep if row.params > 4_000_000 else ())
        for row in TRUNKS.values()
    ],
)
def test_trunk_of_a_published_classifier_loads_completely(row, tmp_path):
    pytest.importorskip("pdx_cls")  # to write the file of a classifier
    classifier = build_network(_classifier(row))
    table = name_tables(classifier)["PaddleClas"]
    state = {table[name]: tensor.numpy() for name, tensor in classifier.state_dict().items()}
    save_weights(state, tmp_path / "trunk.pdparams")
    recipe = {"Global.recipe": "cityscapes", "Train.pretrain_weight_path": str(tmp_path / "trunk.pdparams")}
    resolved = resolve(row.name, flags=recipe)
    net = build_network(row.name, 5)
    report = load_weights(net, tmp_path / "trunk.pdparams", partial=resolved.config.train.partial_weights)
    assert all(name.startswith("head.") for name in report.missing)
    assert set(report.loaded) == {name for name in net.state_dict() if name.startswith("backbone.")}
    assert "tensors" in load_pretrained(net, resolved, 5)


def test_another_backbone_starts_from_scratch():
    resolved = resolve("DeepLabv3p-MobileNetV2_x1.0", flags={"Model.backbone.name": "ResNet18"})
    net = build_network("DeepLabv3p-MobileNetV2_x1.0", 4, resolved.config.model)
    assert "do not fit the backbone" in load_pretrained(net, resolved, 4)


def test_weights_for_other_classes_leave_the_classifiers_new(tmp_path):
    manifest = golden.load_manifest(golden.GOLDEN / "seg/manifest/FastSCNN.json.gz")
    save_weights(golden.fill_state(manifest), tmp_path / "cityscapes.pdparams")
    resolved = resolve("FastSCNN", flags={"Train.pretrain_weight_path": str(tmp_path / "cityscapes.pdparams")})
    said = load_pretrained(build_network("FastSCNN", 2), resolved, 2)
    assert "242 tensors" in said and "19 classes in the file, 2 here" in said
