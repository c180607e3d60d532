"""inference.yml: PaddleX's is understood, ours is understood by PaddleX, and both say what is wrong with them."""

import pytest
import yaml

from pdx_core.errors import ConfigError, PdxError
from pdx_core.model_card import ModelCard, find_model_dir, graph_file, read_card
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
