"""Configuration: what is accepted, in which order, and what is said about everything else."""

from __future__ import annotations

import attrs
import pytest

from pdx_core.config import default_config, dump, resolve
from pdx_core.errors import ConfigError, PdxError, UnknownNameError
from tests.core.zoo_source import ZOO

MODEL = "CountNet_x1_0"

PADDLEX_FILE = """\
Global:
  model: CountNet_x1_0
  mode: check_dataset # check_dataset/train/evaluate/predict
  dataset_dir: "/data/flowers"
  device: gpu:0,1,2,3
  output: "output"

CheckDataset:
  convert:
    enable: False
    src_dataset_type: null
  split:
    enable: False
    train_percent: null
    val_percent: null

Train:
  num_classes: 102
  epochs_iters: 20
  batch_size: 256
  learning_rate: 0.1
  pretrain_weight_path: https://example.invalid/pretrained.pdparams
  warmup_steps: 5
  resume_path: null
  log_interval: 1
  eval_interval: 1
  save_interval: 1

Evaluate:
  weight_path: "output/best_model/best_model.pdparams"
  log_interval: 1

Export:
  weight_path: https://example.invalid/pretrained.pdparams

Predict:
  batch_size: 1
  model_dir: "output/best_model/inference"
  input: "https://example.invalid/image.jpg"
  kernel_option:
    run_mode: paddle
"""


@pytest.fixture(autouse=True)
def zoo(fake_site):
    fake_site.install("zoo", ZOO)


def write(tmp_path, text, name="my.yaml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


# -- order and origins -----------------------------------------------------------------------------------------------
def test_each_layer_wins_over_the_one_before(tmp_path):
    file = write(tmp_path, "Train:\n  batch_size: 16\n  learning_rate: 0.3\n  log_interval: 7\n")
    resolved = resolve(MODEL, file, {"Train.learning_rate": 0.4, "Train.log_interval": 8}, ["Train.log_interval=9"])
    train = resolved.config.train
    assert (train.unit, train.batch_size, train.learning_rate, train.log_interval) == ("iteration", 16, 0.4, 9)
    assert train.epochs_iters == 20
    assert resolved.origins["Train.unit"] == "task count"
    assert resolved.origins["Train.batch_size"] == f"{file}:2"
    assert resolved.origins["Train.learning_rate"] == "--lr"
    assert resolved.origins["Train.log_interval"] == "-o Train.log_interval=9"
    assert resolved.origins["Model.head.smoothing"] == f"model {MODEL}"
    assert "Train.epochs_iters" not in resolved.origins


def test_record_fills_components_and_preprocessing():
    config = default_config("countnet-X1.0")
    assert config.global_.model == MODEL
    assert (config.model.backbone.name, config.model.backbone.options) == ("CountNet", {"freeze_stages": 2})
    assert config.model.neck is None
    assert config.data.eval_transforms == (
        {"ResizeShort": {"size": 256}},
        {"CenterCrop": {"size": 224}},
        {"Normalize": {}},
    )


def test_recipe_lies_between_record_and_user(tmp_path):
    resolved = resolve(MODEL, overrides=["Global.recipe=long", "Train.learning_rate=0.5"])
    assert (resolved.config.train.epochs_iters, resolved.config.train.learning_rate) == (500, 0.5)
    assert resolved.origins["Train.epochs_iters"] == f"recipe long of {MODEL}"
    with pytest.raises(ConfigError, match=r"has no recipe 'lon'.*Did you mean 'long'\?.*There are: long"):
        resolve(MODEL, overrides=["Global.recipe=lon"])


def test_flag_that_was_not_given_changes_nothing():
    assert resolve(MODEL, flags={"Train.batch_size": None}).config.train.batch_size == 8


def test_last_of_two_overrides_wins():
    assert resolve(MODEL, overrides=["Train.batch_size=1", "Train.batch_size=2"]).config.train.batch_size == 2


# -- components ------------------------------------------------------------------------------------------------------
def test_another_name_drops_the_options_of_the_record():
    backbone = resolve(MODEL, overrides=["Model.backbone.name=OtherNet"]).config.model.backbone
    assert (backbone.name, backbone.options) == ("OtherNet", {})
    assert resolve(MODEL, overrides=["Model.backbone=othernet"]).config.model.backbone.name == "OtherNet"


def test_another_name_never_drops_what_the_user_wrote(tmp_path):
    file = write(tmp_path, "Model:\n  backbone: {name: CountNet, width: 0.25}\n")
    with pytest.raises(ConfigError, match=r"unknown key 'width' in 'Model.backbone' \(from .*my.yaml:2\)"):
        resolve(MODEL, file, overrides=["Model.backbone.name=OtherNet"])
    kept = resolve(MODEL, file, overrides=["Model.backbone.freeze_stages=1"]).config.model.backbone
    assert kept.options == {"freeze_stages": 1, "width": 0.25}


def test_component_without_an_options_class_takes_anything():
    backbone = resolve(
        MODEL, overrides=["Model.backbone={name: FreeNet, a: 1e-3, b: no, c: [1, x]}"]
    ).config.model.backbone
    assert backbone.options == {"a": 0.001, "b": "no", "c": [1, "x"]}


def test_import_path_as_component():
    backbone = resolve(MODEL, overrides=["Model.backbone={name: 'my_lab.nets:Tiny', width: 0.5}"]).config.model.backbone
    assert (backbone.name, backbone.options) == ("my_lab.nets:Tiny", {"width": 0.5})


def test_one_parameter_of_one_transform():
    for key in ("CenterCrop", "1.CenterCrop"):
        resolved = resolve(MODEL, overrides=[f"Data.eval_transforms.{key}.size=192"])
        assert resolved.config.data.eval_transforms[1] == {"CenterCrop": {"size": 192}}
        assert len(resolved.config.data.eval_transforms) == 3
    both = ["Data.eval_transforms.CenterCrop.size=192", "Data.eval_transforms.Normalize.pad_multiple=8"]
    changed = resolve(MODEL, overrides=both).config.data.eval_transforms
    assert changed[1]["CenterCrop"] == {"size": 192} and changed[2]["Normalize"]["pad_multiple"] == 8
    with pytest.raises(ConfigError, match=r"no item 'CentreCrop'.*Did you mean 'CenterCrop'"):
        resolve(MODEL, overrides=["Data.eval_transforms.CentreCrop.size=192"])


# -- scalars ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("Train.learning_rate=1e-3", "train.learning_rate", 0.001),
        ("Train.learning_rate=1", "train.learning_rate", 1.0),
        ('Train.batch_size="12"', "train.batch_size", 12),
        ("Train.batch_size=012", "train.batch_size", 12),
        ("Train.num_classes=None", "train.num_classes", None),
        ("Train.resume_path=", "train.resume_path", None),
        ("Train.resume_path=null", "train.resume_path", None),
        ("Train.ema.enable=True", "train.ema.enable", True),
        ("Train.ema.enable=no", "train.ema.enable", False),
        ("Train.amp.level=off", "train.amp.level", "off"),
        ("Train.amp.level=o1", "train.amp.level", "O1"),
        ("Global.dataset_dir=2024", "global_.dataset_dir", "2024"),
        ("Global.dataset_dir=no", "global_.dataset_dir", "no"),
        ("Predict.input=a b #1.jpg", "predict.input", "a b #1.jpg"),
        ("Predict.input=[1].jpg", "predict.input", "[1].jpg"),
        ("Predict.input=a=b.jpg", "predict.input", "a=b.jpg"),
        ("Predict.input=C:\\photos\\图.jpg", "predict.input", "C:\\photos\\图.jpg"),
        ("Train.optimizer.no_decay=[norm, 1d]", "train.optimizer.no_decay", ("norm", "1d")),
        ("Train.optimizer.lr_factors={backbone.*: 1e-1}", "train.optimizer.lr_factors", {"backbone.*": 0.1}),
        ("Model.backbone.size=[3, 4]", "model.backbone.options", {"freeze_stages": 2, "size": (3, 4)}),
    ],
)
def test_scalar_is_read_as_the_type_of_its_field(override, path, value):
    found = resolve(MODEL, overrides=[override]).config
    for part in path.split("."):
        found = getattr(found, part)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("Train.lerning_rate=0.1", r"key 'lerning_rate' in 'Train' \(from -o Tr.*Did you mean 'learning_rate'"),
        ("Trian.batch_size=1", r"unknown key 'Trian' .* Did you mean 'Train'"),
        ("Train.device=cpu", r"unknown key 'device' in 'Train'.* Did you mean 'Global.device'"),
        ("Train.learning_rate=fast", r"Train.learning_rate: expected a number, got 'fast' \(from -o"),
        ("Train.learning_rate=nan", "expected a number, got 'nan'"),
        ("Train.learning_rate=1e999", "expected a number"),
        ("Train.batch_size=3.5", "expected a whole number, got '3.5'"),
        ("Train.batch_size=0", r"Train.batch_size: must be > 0, got 0 \(from"),
        ("Train.batch_size=null", "expected a whole number"),
        ("Train.batch_size=[1]", "expected a whole number"),
        ("Train.ema.enable=1", "expected true or false, got '1'"),
        ("Train.ema=3", "Train.ema: expected keys such as"),
        ("Global.output=true", 'expected text, got \'true\'.*write "true" in quotes'),
        ("Global.mode=trian", r"'trian' is not one of check_dataset, train, .*Did you mean 'train'"),
        ("Global.device=tpu", r"unknown device 'tpu'; use auto, cpu.*from -o Global.device=tpu"),
        ("Global.device=gpu:x", "card numbers"),
        ("Train.optimizer.name=adm", "Did you mean 'adam'"),
        ("Train.optimizer.no_decay=norm", "expected a list"),
        ("Model.backbone.size=[3]", "expected 2 items, got 1"),
        ("Model.backbone.freeze_stage=2", r"'freeze_stage' in .* mean 'freeze_stages'.*Valid keys of CountNet"),
        ("Model.backbone.width=-1", r"Model.backbone.width: must be > 0, got -1.0"),
        ("Model.neck.levels=3", "has options .levels. but no `name`"),
        ("Model.backbone=CuntNet", r"no backbone named 'CuntNet' \(from -o Model.*Did you mean 'CountNet'"),
        ("Evaluate.metric=x", "no metric named 'x'"),
        ("Data.eval_transforms=[{Resise: {}}]", "no transform is called 'Resise'.*Did you mean 'Resize"),
        ("Data.train_transforms=[{CenterCrop: {sze: 1}}]", "CenterCrop has no parameter 'sze'. Did you mean 'size'"),
        ("Data.train_transforms=[{Mixup: {}}]", "Mixup belongs into Data.batch_transforms"),
        ("CheckDataset.split.train_percent=90", ""),
        ("CheckDataset.split.enable=True", "give both train_percent and val_percent"),
        ("Train.batch_size", "write it as KEY=VALUE"),
        ("=3", "write it as KEY=VALUE"),
        ("batch_size=3", "needs its section"),
        ("Train..batch_size=3", "needs its section"),
        ("Train.batch_size.x=3", "expected a whole number"),
        ("Train.optimizer.no_decay=[a", "expected a list such as"),
    ],
)  # fmt: skip
def test_refusal_says_what_where_and_how(override, message):
    if not message:
        resolve(MODEL, overrides=[override])
        return
    with pytest.raises(PdxError, match=message):
        resolve(MODEL, overrides=[override])


def test_percents_must_add_up():
    parts = ["CheckDataset.split.enable=True", "CheckDataset.split.train_percent=90"]
    with pytest.raises(ConfigError, match=r"90 and val_percent 20 must add up to 100, not 110 \(from -o Check"):
        resolve(MODEL, overrides=[*parts, "CheckDataset.split.val_percent=20"])
    split = resolve(MODEL, overrides=[*parts, "CheckDataset.split.val_percent=10"]).config.check_dataset.split
    assert (split.train_percent, split.val_percent) == (90, 10)


# -- files -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Train:\n  batch_size: 1\n  batch_size: 2\n", r"my.yaml:3: key 'batch_size' is given twice"),
        ("Train:\n  batchsize: 1\n", r"'batchsize' in 'Train' \(from .*my.yaml:2\). Did you mean 'batch_size'"),
        ("Train:\n\tx: 1\n", r"my.yaml:2: not valid YAML"),
        ("Train: {a: 1", "not valid YAML"),
        ("- 1\n", "must hold sections"),
        ("just text", "must hold sections"),
        ("Train: !!python/object/apply:os.system [x]\n", "my.yaml:1: tags such as"),
        ("Train: &a\n  optimizer: *a\n", "nested too deeply"),
        ("Train:\n  ? [1]\n  : 2\n", "a key must be a plain word"),
        ("---\na: 1\n---\nb: 2\n", "not valid YAML"),
        ("Train: " + "[" * 3000, "nested too deeply|not valid YAML"),
    ],
)  # fmt: skip
def test_bad_file(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        resolve(MODEL, write(tmp_path, text))


def test_unreadable_files(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"Global:\n  output: caf\xe9\n")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        resolve(MODEL, tmp_path / "latin.yaml")
    with pytest.raises(ConfigError, match="folder without a config"):
        resolve(MODEL, tmp_path)
    with pytest.raises(ConfigError, match="no such file"):
        resolve(MODEL, tmp_path / "absent.txt")


def test_empty_file_and_empty_sections_are_defaults(tmp_path):
    assert resolve(MODEL, write(tmp_path, "")).config == default_config(MODEL)
    assert resolve(MODEL, write(tmp_path, "Train:\nData:\nGlobal: {}\n")).config == default_config(MODEL)


def test_file_that_does_not_exist_but_is_named_after_a_model(tmp_path, caplog):
    resolved = resolve(file=tmp_path / "configs" / "CountNet_x1_0.yaml", overrides=["Global.mode=evaluate"])
    assert resolved.config.global_.mode == "evaluate"
    assert resolved.spec.name == MODEL
    assert "using the defaults of the model CountNet_x1_0" in caplog.text
    with pytest.raises(ConfigError, match=r"no such file, and no model is called 'CountNet_x1'.*Did you mean"):
        resolve(file=tmp_path / "CountNet_x1.yaml")


def test_model_comes_from_the_name_or_the_override_or_the_file(tmp_path):
    file = write(tmp_path, "Global: {model: cn1}\n")
    assert resolve(file=file).spec.name == MODEL
    with pytest.raises(UnknownNameError, match=r"no model named 'nope' \(from -o Global.model=nope\)"):
        resolve(file=file, overrides=["Global.model=nope"])
    with pytest.raises(ConfigError, match="no model given"):
        resolve(overrides=["Global.mode=train"])


def test_paddlex_file_is_read_unchanged(tmp_path, caplog):
    config = resolve(file=write(tmp_path, PADDLEX_FILE)).config
    assert attrs.asdict(config.global_) == {
        "model": MODEL,
        "mode": "check_dataset",
        "dataset_dir": "/data/flowers",
        "device": "gpu:0,1,2,3",
        "output": "output",
        "seed": 0,
        "recipe": None,
    }
    train = config.train
    assert (train.num_classes, train.epochs_iters, train.batch_size, train.warmup_steps) == (102, 20, 256, 5)
    assert train.pretrain_weight_path == "https://example.invalid/pretrained.pdparams"
    assert train.resume_path is None
    assert config.evaluate.weight_path == "output/best_model/best_model.pdparams"
    assert config.predict.kernel_option.run_mode == "paddle"
    assert caplog.text == ""


def test_keys_that_only_paddlex_knows_are_named_and_ignored(tmp_path, caplog):
    text = PADDLEX_FILE + "  use_hpip: False\n  hpi_config: null\n"
    resolve(file=write(tmp_path, text))
    assert "Predict.use_hpip is ignored (from" in caplog.text
    assert "hpi_config" not in caplog.text  # null says nothing


# -- round trip ------------------------------------------------------------------------------------------------------
ODD_TEXTS = [
    "no",
    "None",
    "1e-3",
    "a: b",
    "#x",
    "",
    " x ",
    "图 🐻",
    "- a",
    "'",
    '"',
    "a\nb",
    "~",
    "{a}",
    "*x",
    "\\",
    "2024-01-01",
]


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_odd_text_survives_the_round_trip(tmp_path, text):
    resolved = resolve(MODEL, flags={"Global.output": text or "x", "Predict.input": text or None})
    again = resolve(file=write(tmp_path, dump(resolved)))
    assert again.config == resolved.config


def test_printed_configuration_reads_back_to_the_same(tmp_path):
    overrides = [
        "Train.optimizer.lr_factors={'backbone\\..*': 1e-05}",
        "Train.batch_size=3",
        "Model.backbone={name: FreeNet, a: '012', b: [1, 2.5, null, true], c: {d: e}}",
        "Data.batch_transforms=[{Mixup: {alpha: 0.2}}]",
        "Data.train_transforms=[{'my.module:Flip': {prob: 1}}, Normalize]",
    ]
    resolved = resolve(MODEL, overrides=overrides)
    text = dump(resolved)
    again = resolve(file=write(tmp_path, text))
    assert again.config == resolved.config
    assert "batch_size: 3  # -o Train.batch_size=3" in text
    assert f"learning_rate: 0.1  # model {MODEL}" in text
    assert "\n  log_interval: 10\n" in text  # a default carries no comment
    strip = [line.split("  #")[0] for line in text.splitlines()]
    assert strip == [line.split("  #")[0] for line in dump(again).splitlines()]
