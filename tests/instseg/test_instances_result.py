"""What is published of the objects of an image: boxes, masks cut to them, run lengths in JSON, pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pdx_core.errors import PdxError
from pdx_core.model_card import ModelCard
from pdx_core.predictor import Prepared
from pdx_instseg.mask_drawing import draw_instances
from pdx_instseg.outputs import named_outputs, per_image, run_lengths
from pdx_instseg.predictor import InstSegPredictor
from pdx_instseg.results import InstancesResult
from pdx_instseg.run_lengths import RunLengths

SIZE = (20, 30)


def bitmap(x1: int, y1: int, x2: int, y2: int) -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8)
    mask[y1:y2, x1:x2] = 1
    return mask


def two_objects(**others) -> InstancesResult:
    rows = np.array([[1, 0.75, 2.6, 3.2, 9.9, 12.4], [0, 0.5, 20, -4, 40, 9]], np.float32)
    masks = [RunLengths.of_bitmap(bitmap(3, 3, 10, 12)), RunLengths.of_bitmap(bitmap(20, 0, 30, 9))]
    return InstancesResult.of_rows("a b.png", rows, ("cat", "dog"), size=SIZE, run_lengths=masks, **others)


def test_the_published_shape():
    result = two_objects(image=np.zeros((*SIZE, 3), np.uint8))
    assert list(result.fields) == ["input_path", "page_index", "boxes", "masks"]
    box = result["boxes"][1]
    assert (box["cls_id"], box["label"], box["score"]) == (0, "cat", 0.5)
    assert [float(value) for value in box["coordinate"]] == [20, 0, 30, 9]
    first, second = result["masks"]
    assert first.shape == (12 - 3, 10 - 3) and first.dtype == np.uint8  # both corners rounded
    assert first.all() and second.shape == (9, 10) and second.all()
    assert result.areas.tolist() == [63, 90]
    assert result.summary == "dog 0.75 (63 px), cat 0.50 (90 px)"


def test_json_has_run_lengths_and_polygons_on_request(tmp_path):
    result = two_objects(with_polygons=True)
    content = result.json["res"]
    assert list(content) == ["input_path", "page_index", "boxes", "masks", "polygons"]
    assert [RunLengths.of_file(mask) for mask in content["masks"]] == list(result.run_lengths)
    assert sorted(content["polygons"][0][0]) == [[3, 3], [3, 11], [9, 3], [9, 11]]
    assert "polygons" not in two_objects().json["res"]
    path = result.save_to_json(tmp_path / "x.json")
    assert json.loads(path.read_text()) == json.loads(json.dumps(content))


def test_print_leaves_out_what_nobody_can_read(capsys):
    result = two_objects()
    result.print(json_format=False)
    result.print()
    said = capsys.readouterr().out
    assert said.count("...") == 2 and "counts" not in said and "'label': 'dog'" in said


def test_nothing_found(tmp_path):
    result = InstancesResult.of_rows(
        "x.png", np.zeros((0, 6), np.float32), (), size=SIZE, image=np.zeros((*SIZE, 3), np.uint8)
    )
    assert result.summary == "nothing found" and result.json["res"]["masks"] == [] and result.masks == []
    result.save_all(tmp_path)


def test_the_best_object_is_drawn_on_top_and_the_input_is_not_touched():
    image = np.full((200, 300, 3), 100, np.uint8)
    lower, upper = np.ones((100, 100), np.uint8), np.ones((100, 100), np.uint8)
    upper[30:70, 30:70] = 0
    windows = [(lower, (50, 50)), (upper, (100, 50))]
    boxes = np.array([[50, 50, 150, 150], [100, 50, 200, 150]], np.float32)
    drawn = draw_instances(image, windows, boxes, ["", ""], [0, 1])
    assert (image == 100).all()
    alone = draw_instances(image, windows[:1], boxes[:1], [""], [0])
    assert np.array_equal(drawn[100, 60], alone[100, 60])  # only the lower one
    assert np.array_equal(drawn[100, 140], alone[100, 140])  # in the hole of the upper one
    assert not np.array_equal(drawn[60, 120], alone[60, 120]) and not np.array_equal(drawn[60, 180], image[60, 180])
    assert np.array_equal(drawn[10, 10], image[10, 10])


def test_many_small_objects_of_one_class_get_a_colour_each_and_no_names():
    image = np.zeros((300, 300, 3), np.uint8)
    windows = [(np.ones((8, 8), np.uint8), (20 * at, 20 * at)) for at in range(14)]
    boxes = np.array([[20 * at, 20 * at, 20 * at + 8, 20 * at + 8] for at in range(14)], np.float32)
    drawn = draw_instances(image, windows, boxes, ["nucleus 0.99"] * 14, [0] * 14)
    assert len({tuple(drawn[20 * at + 4, 20 * at + 4]) for at in range(14)}) == 14
    outside = np.ones((300, 300), bool)
    for at in range(14):
        outside[20 * at : 20 * at + 10, 20 * at : 20 * at + 10] = False
    assert not drawn[outside].any()


# -- from what networks put out --------------------------------------------------------------------------------------
def _outputs() -> dict[str, np.ndarray]:
    rows = np.array(
        [[0, 0.9, 2, 2, 10, 10], [1, 0.2, 0, 0, 5, 5], [-1, 0, 0, 0, 0, 0], [1, 0.8, 4, 4, 8, 12]], np.float32
    )
    masks = np.zeros((4, 4, 4), np.float32)
    masks[0], masks[3, :2] = 0.9, 0.9
    return {"bbox": rows, "bbox_num": np.array([3, 1], np.int32), "mask": masks}


def test_rows_and_masks_are_divided_among_the_images():
    (first, first_masks), (second, second_masks) = per_image(_outputs())
    assert first[:, 0].tolist() == [0, 1] and len(first_masks) == 2  # without the row that filled the graph up
    assert second[:, 1].tolist() == [pytest.approx(0.8)] and second_masks[0, 0, 0] == pytest.approx(0.9)


def test_small_masks_are_pasted_and_whole_ones_taken_as_they_are():
    (rows, masks), _ = per_image(_outputs())
    pasted = run_lengths(masks, rows, SIZE)
    assert pasted[0].frame == (2, 2, 10, 10) and pasted[0].area == 64 and pasted[1].area == 0
    whole = np.zeros((2, SIZE[0] + 4, SIZE[1]), np.int32)  # of a batch whose other image is higher
    whole[0, 2:10, 2:10] = 1
    assert run_lengths(whole, rows, SIZE)[0] == pasted[0]
    with pytest.raises(PdxError, match="masks of 30 x 10 pixels for 30 x 20"):
        run_lengths(whole[:, :10], rows, SIZE)


def test_outputs_are_known_by_their_shapes():
    ours = _outputs()
    theirs = {"fetch_0": ours["bbox"], "fetch_1": ours["bbox_num"], "fetch_2": ours["mask"]}
    found = named_outputs(theirs)
    assert all(found[name] is ours[name] for name in ours)
    with pytest.raises(PdxError, match=r"not those of an instance segmentation: fetch_0 \[4, 6\]"):
        named_outputs({"fetch_0": ours["bbox"]})


def _predictor(**options) -> InstSegPredictor:
    transforms = ({"Normalize": {}},)
    return InstSegPredictor(
        ModelCard(name="x", task="instseg", transforms=transforms, classes=("a", "b")), None, **options
    )


def _prepared(count: int) -> list[Prepared]:
    planes = np.zeros((3, *SIZE), np.float32)
    return [
        Prepared(name=f"{at}.png", planes=planes, im_shape=SIZE, scale_factor=(1, 1), size=SIZE) for at in range(count)
    ]


def test_the_predictor_keeps_boxes_and_masks_together():
    first, second = _predictor().results(_outputs(), _prepared(2))
    assert first.label_names == ["a"] and first.areas.tolist() == [64]
    assert second.label_names == ["b"] and second.run_lengths[0].frame == (4, 4, 8, 8)
    all_of_them = _predictor(threshold=0.1, polygons=True).results(_outputs(), _prepared(2))[0]
    assert all_of_them.label_names == ["a", "b"] and all_of_them.with_polygons
    assert len(_predictor(threshold=0.1).results(_outputs(), _prepared(2), topk=1)[0]) == 1


def test_options_of_the_predictor_are_checked():
    with pytest.raises(PdxError, match="polygons must be True or False, got 'yes'"):
        _predictor(polygons="yes")
    with pytest.raises(PdxError, match="polygons must be"):
        _predictor().check_options({"polygons": 1})
    with pytest.raises(PdxError, match="takes no option 'maks'"):
        _predictor().check_options({"maks": 1})
    with pytest.raises(PdxError, match="test_time"):
        _predictor(test_time={"flip": True})


def test_a_hundred_masks_on_a_large_photo_stay_small_in_memory():
    import tracemalloc

    size, count = (3000, 4000), 100
    rng = np.random.default_rng(0)
    corners = rng.uniform((0, 0), (3000, 2000), (count, 2))
    rows = np.column_stack([np.zeros(count), np.full(count, 0.9), corners, corners + np.array([900, 700])]).astype(
        np.float32
    )
    outputs = {"bbox": rows, "bbox_num": np.array([count]), "mask": rng.random((count, 28, 28), np.float32)}
    image = Prepared(name="x", planes=np.zeros((3, 8, 8), np.float32), im_shape=(8, 8), scale_factor=(1, 1), size=size)
    tracemalloc.start()
    (result,) = _predictor().results(outputs, [image])
    held, _ = tracemalloc.get_traced_memory()
    for mask in result._cut_masks():
        assert mask.nbytes < 1_000_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(result) == count and held < 20e6 and peak < 80e6  # a hundred whole masks would be 1200 MB
