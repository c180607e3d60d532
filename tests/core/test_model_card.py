"""inference.yml: PaddleX's is understood, ours is understood by PaddleX, and both say what is wrong with them."""

import pytest
import yaml

from pdx_core.errors import ConfigError, PdxError
from pdx_core.model_card import ModelCard, find_model_dir, graph_file, read_card
from pdx_core.published_det_ops import from_detection
from pdx_core.published_ops import from_published, to_published

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
PUBLISHED = """
Global:
  model_name: SomeNet_x9
PreProcess:
  transform_ops:
  - ResizeImage:
      resize_short: 256
  - CropImage:
      size: 224
  - NormalizeImage:
      channel_num: 3
      mean: [0.485, 0.456, 0.406]
      order: ''
      scale: 0.00392156862745098
      std: [0.229, 0.224, 0.225]
  - ToCHWImage: null
PostProcess:
  Topk:
    topk: 3
    label_list: [tench, 'goldfish, Carassius auratus', 7]
"""
OURS = ({"ResizeShort": {"size": 256}}, {"CenterCrop": {"size": 224}}, {"Normalize": {"mean": MEAN, "std": STD}})


def test_a_published_file_is_read(tmp_path):
    (tmp_path / "inference.yml").write_text(PUBLISHED, encoding="utf-8")
    card = read_card(tmp_path)
    assert (card.name, card.task, card.outputs, card.runtimes) == ("SomeNet_x9", "cls", (), {})
    assert card.transforms == OURS
    assert card.classes == ("tench", "goldfish, Carassius auratus", "7")
    assert card.post == {"Topk": {"topk": 3}}


def test_what_we_write_says_the_same_to_both_sides(tmp_path):
    card = ModelCard(
        name="SomeNet_x9",
        task="cls",
        transforms=({"ResizeShort": {"size": 256, "max_size": 900}}, *OURS[1:]),
        classes=("tench", "熊"),
        post={"Topk": {"topk": 3}},
        outputs=("scores",),
        runtimes={"chosen": "paddle", "trials": ()},
    )
    text = card.dump()
    (tmp_path / "inference.yml").write_text(text, encoding="utf-8")
    again = read_card(tmp_path)
    assert again.transforms == card.transforms and again.classes == card.classes and again.post == card.post
    assert again.outputs == ("scores",) and again.runtimes["chosen"] == "paddle"
    published = yaml.safe_load(text)
    assert [next(iter(step)) for step in published["PreProcess"]["transform_ops"]] == [
        "ResizeImage", "CropImage", "NormalizeImage", "ToCHWImage",
    ]  # fmt: skip
    assert published["PostProcess"]["Topk"] == {"topk": 3, "label_list": ["tench", "熊"]}


def test_the_file_of_a_published_detector_is_read(tmp_path):
    (tmp_path / "inference.yml").write_text(
        "mode: paddle\ndraw_threshold: 0.4\nmetric: COCO\nGlobal: {model_name: MaskRCNN-ResNet50-FPN}\n"
        "arch: RCNN\nmask: true\n"
        "Preprocess:\n"
        "- {interp: 2, keep_ratio: true, target_size: [800, 1333], type: Resize}\n"
        "- {is_scale: true, mean: [0.485, 0.456, 0.406], norm_type: mean_std, std: [0.229, 0.224, 0.225], "
        "type: NormalizeImage}\n"
        "- {type: Permute}\n- {stride: 32, type: PadStride}\n"
        "label_list: [fig, 狗]\nPdx: {task: instseg}\n",
        encoding="utf-8",
    )
    card = read_card(tmp_path)
    assert card.transforms == (
        {"ResizeShort": {"size": 800, "max_size": 1333, "interpolation": "bicubic"}},
        {"Normalize": {"mean": MEAN, "std": STD, "pad_multiple": 32}},
    )
    assert card.classes == ("fig", "狗") and card.post == {"DetThreshold": {"threshold": 0.4}}


@pytest.mark.parametrize(
    ("operations", "words"),
    [
        ([{"type": "Resize", "keep_ratio": False, "target_size": [320, 416]}], None),
        ([{"type": "NormalizeImage", "norm_type": "none", "is_scale": False}], None),
        ([{"type": "Resiz"}], "Did you mean 'Resize'"),
        ([{"type": "Resize"}], "target_size"),
        ([{"type": "Resize", "target_size": [1, 2], "interp": 9}], "unknown interpolation 9"),
        ([{"type": "PadStride"}], "must stand behind NormalizeImage"),
        ([{"type": "NormalizeImage", "norm_type": "odd"}], "unknown norm_type 'odd'"),
        ([{"stride": 3}], "must say its type"),
        ("Resize", "must be a list"),
    ],
)
def test_preparation_of_detectors(operations, words):
    if words:
        with pytest.raises(ConfigError, match=words):
            from_detection(operations, "x")
        return
    wanted = {
        "Resize": {"size": [320, 416], "interpolation": "bilinear"},
        "Normalize": {"mean": [0.0] * 3, "std": [1.0] * 3, "scale": 1.0},
    }
    ((name, options),) = from_detection(operations, "x")[0].items()
    assert options == wanted[name]


@pytest.mark.parametrize(
    ("published", "ours"),
    [
        ({"ResizeImage": {"size": [640, 480]}}, {"Resize": {"size": [480, 640]}}),
        (
            {"ResizeImage": {"size": 224, "interpolation": "LINEAR"}},
            {"Resize": {"size": 224, "interpolation": "bilinear"}},
        ),
        (
            {"ResizeImage": {"resize_short": 248, "interpolation": "bicubic", "backend": "pil"}},
            {"ResizeShort": {"size": 248, "interpolation": "bicubic", "backend": "pil"}},
        ),
        ({"CropImage": {"size": [200, 100]}}, {"CenterCrop": {"size": [100, 200]}}),
        ({"NormalizeImage": {"scale": "1.0/255.0"}}, {"Normalize": {"mean": MEAN, "std": STD}}),
        ({"NormalizeImage": {"scale": 1}}, {"Normalize": {"mean": MEAN, "std": STD, "scale": 1.0}}),
    ],
)
def test_operations_of_paddlex(published, ours):
    assert from_published([published], "x") == (ours,)
    assert from_published(to_published([ours]), "x") == (ours,)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ({"ResizImage": {"resize_short": 1}}, "Did you mean 'ResizeImage'"),
        ({"ResizeImage": {}}, "resize_short or size"),
        ({"ResizeImage": {"resize_short": 1, "interpolation": "magic"}}, "magic"),
        ({"CropImage": {"size": 1, "mode": "TL"}}, "TL"),
        ({"DecodeImage": {"to_rgb": False}}, "BGR"),
        ({"NormalizeImage": {"channel_num": 1}}, "3 channels"),
        ({"NormalizeImage": {"sigma": 1}}, "sigma"),
        ([1], "must be a name"),
    ],
)
def test_operations_that_cannot_be_used_name_the_file_and_the_reason(operation, words):
    with pytest.raises(ConfigError, match=words) as caught:
        from_published([operation], "here/inference.yml")
    assert "here/inference.yml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, 2]", "not the description of a model"),
        ("a: [", "cannot read"),
        ("Global: {model_name: x}\nPostProcess: {Topk: {topk: 5}}", "PreProcess.transform_ops"),
        ("Global: {model_name: NoSuchNet}\nPreProcess: {transform_ops: []}", "does not say its task"),
        ("Global: 5", "Global must be a mapping"),
        ("Pdx: {format: 99, version: '9.0'}", "newer than this one"),
    ],
)
def test_a_card_that_cannot_be_used(tmp_path, text, words):
    (tmp_path / "inference.yml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_card(tmp_path)


def test_a_model_is_found_in_its_folder_and_in_its_run(tmp_path):
    inner = tmp_path / "run" / "best_model" / "inference"
    inner.mkdir(parents=True)
    (inner / "inference.yml").write_text(PUBLISHED)
    for place in (inner, inner.parent, tmp_path / "run"):
        assert find_model_dir(place) == inner
    with pytest.raises(PdxError, match="no exported model"):
        find_model_dir(tmp_path)
    with pytest.raises(PdxError, match="no folder"):
        find_model_dir(tmp_path / "nothing")
    with pytest.raises(PdxError, match="is a file"):
        find_model_dir(inner / "inference.yml")


def test_missing_parts_are_named(tmp_path):
    with pytest.raises(PdxError, match=r"inference\.json \(or \.pdmodel\) is missing"):
        graph_file(tmp_path)
    (tmp_path / "inference.pdmodel").write_text("")
    with pytest.raises(PdxError, match=r"inference\.pdiparams is missing"):
        graph_file(tmp_path)
    (tmp_path / "inference.pdiparams").write_text("")
    assert graph_file(tmp_path).name == "inference.pdmodel"
