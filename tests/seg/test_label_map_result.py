"""What a label map prints, saves and draws."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from pdx_core.images import write_image
from pdx_seg import results
from pdx_seg.palette import palette
from pdx_seg.results import LabelMapResult
from pdx_seg.runs import runs_of

NAMES = ("boden", "天空", "tree $x_1$")


@pytest.fixture
def result(tmp_path):
    labels = np.zeros((40, 60), np.uint8)
    labels[:10] = 1
    labels[20:, 30:] = 2
    path = tmp_path / "photo.jpg"
    write_image(path, np.full((40, 60, 3), 200, np.uint8))
    return LabelMapResult(str(path), labels, NAMES)


def test_the_published_fields(result):
    found = result.json["res"]
    assert list(found) == ["input_path", "page_index", "pred", "classes"]
    assert np.array(found["pred"]).shape == (1, 40, 60) and found["pred"][0] == result.label_map.tolist()
    assert result["pred"].shape == (1, 40, 60)
    assert found["classes"] == [
        {"cls_id": 0, "label": "boden", "pixels": 1200, "share": 0.5},
        {"cls_id": 1, "label": "天空", "pixels": 600, "share": 0.25},
        {"cls_id": 2, "label": "tree $x_1$", "pixels": 600, "share": 0.25},
    ]
    assert result.summary == "boden 50.0%, 天空 25.0%, tree $x_1$ 25.0%"


@pytest.mark.parametrize("as_json", [True, False])
def test_what_is_printed_fits_on_a_screen(result, capsys, as_json):
    result.print(as_json)
    text = capsys.readouterr().out
    assert len(text) < 1500 and "..." in text and "boden" in text
    if as_json:
        assert json.loads(text)["res"]["pred"] == "..."


def test_saved_json_is_the_same_with_a_row_in_a_line(result, tmp_path):
    path = result.save_to_json(tmp_path / "out")
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == result.json["res"]
    assert text.count("\n") < 40 + 40 and "天空" in text
    assert json.loads(result.save_to_json(tmp_path / "x.json", ensure_ascii=True).read_text()) == result.json["res"]


def test_a_file_name_cannot_break_the_json(tmp_path):
    odd = LabelMapResult('the pixels"the pixels.\n', np.ones((2, 2), np.uint8), ["the pixels"])
    assert json.loads(odd.save_to_json(tmp_path / "x.json").read_text()) == odd.json["res"]


def test_large_maps_are_given_as_runs(result, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "LISTED_PIXELS", 100)
    found = result.json["res"]
    assert list(found) == ["input_path", "page_index", "pred_runs", "classes"]
    assert found["pred_runs"]["size"] == [40, 60]
    assert found["pred_runs"]["runs"][:3] == [[1, 600], [0, 600 + 30], [2, 30]]
    pixels = np.concatenate([np.full(length, value) for value, length in found["pred_runs"]["runs"]])
    assert (pixels.reshape(40, 60) == result.label_map).all()
    assert json.loads(result.save_to_json(tmp_path).read_text(encoding="utf-8")) == found
    assert result["pred"].shape == (1, 40, 60)  # in Python it is there at any size


def test_runs_go_across_bands(monkeypatch):
    labels = np.random.default_rng(1).integers(0, 2, (50, 7)).repeat(3, axis=0).astype(np.uint8)
    whole = list(runs_of(labels))
    monkeypatch.setattr("pdx_seg.runs.bands", lambda shape: [slice(start, start + 1) for start in range(shape[0])])
    assert list(runs_of(labels)) == whole
    assert sum(length for _, length in whole) == labels.size


def test_pictures(result, tmp_path):
    result.save_to_img(tmp_path / "out")
    with Image.open(tmp_path / "out" / "photo_res.png") as picture:
        assert picture.mode == "P" and (np.asarray(picture) == result.label_map).all()
        assert np.asarray(picture.convert("RGB"))[0, 0].tolist() == palette(3)[1].tolist()
    with Image.open(tmp_path / "out" / "photo_overlay.jpg") as picture:
        assert picture.mode == "RGB" and picture.size[0] >= 280 and picture.size[1] > 40
    assert result.save_to_img(tmp_path / "one.jpg").exists()
    with Image.open(tmp_path / "one.jpg") as picture:
        assert picture.mode == "RGB" and picture.size == (60, 40)


def test_the_overlay_mixes_photo_and_colour(result):
    overlay = np.asarray(result.img["overlay"])  # of 60 x 40 pixels, each 5 x 5 large
    wanted = 0.55 * palette(3)[1].astype(float) + 0.45 * 200
    assert overlay.shape[1] == 300
    for y, x in ((0, 0), (49, 299), (30, 100)):
        assert np.abs(overlay[y, x] - wanted).max() <= 3  # the photo went through JPEG


def test_a_background_is_left_as_it_is():
    image = np.full((400, 400, 3), 200, np.uint8)
    labels = np.zeros((400, 400), np.uint8)
    labels[:100] = 1
    overlay = np.asarray(LabelMapResult("x", labels, ("Background", "cell"), image=image).img["overlay"])
    assert overlay[300, 5].tolist() == [200] * 3 and overlay[5, 5].tolist() != [200] * 3


def test_the_overlay_of_a_large_picture_is_drawn_smaller(monkeypatch):
    monkeypatch.setattr(results, "_DRAWN_SIDE", 300)
    image = np.zeros((400, 1200, 3), np.uint8)
    found = LabelMapResult("x", np.zeros((400, 1200), np.uint8), NAMES, image=image)
    assert found.img["overlay"].size[0] == 300
    assert found.img["res"].size == (1200, 400)


def test_ids_without_a_name_are_shown_as_numbers():
    found = LabelMapResult("x", np.full((2, 2), 7, np.uint8), NAMES)
    assert found.summary == "7 100.0%"
