"""Results: printed, saved and drawn as published, without one overwriting another."""

import json

import numpy as np
import pytest

from pdx_core.errors import PdxError
from pdx_core.images import read_image, write_image
from pdx_core.results import LabelsResult, plain

GREY = np.full((60, 80, 3), 90, np.uint8)


def result(path="photo.jpg", scores=(0.1, 0.7, 0.2), names=("cat", "dog", "熊 bear"), topk=2, image=GREY, **others):
    return LabelsResult.best(path, np.array(scores, np.float32), names, topk, image=image, **others)


def test_text_is_what_paddlex_prints():
    assert str(result("a.jpg", scores=(0.791551, 0.208449), names=("ice bear", "fox"))) == (
        "{'res': {'input_path': 'a.jpg', 'page_index': None, 'class_ids': array([0, 1], dtype=int32), "
        "'scores': array([0.79155, 0.20845], dtype=float32), 'label_names': ['ice bear', 'fox']}}"
    )


def test_small_scores_and_many_classes_stay_on_one_line_without_powers_of_ten():
    scores = np.array([0.9] + [0.00001] * 40, np.float32)
    text = str(result(scores=scores, names=[f"c{index}" for index in range(41)], topk=41))
    assert "\n" not in text and "..." not in text and "0.00001" in text and "e-05" not in text


def test_json_has_plain_values_with_the_digits_of_float32():
    found = result().json
    assert found == {
        "res": {
            "input_path": "photo.jpg",
            "page_index": None,
            "class_ids": [1, 2],
            "scores": [0.7, 0.2],
            "label_names": ["dog", "熊 bear"],
        }
    }
    assert type(found["res"]["class_ids"][0]) is int and type(found["res"]["scores"][0]) is float


def test_equal_scores_give_the_lower_class_first_and_topk_may_exceed_the_classes():
    found = result(scores=(0.25, 0.5, 0.25), topk=9)
    assert found.class_ids.tolist() == [1, 0, 2] and found.class_ids.dtype == np.int32
    assert found["scores"].dtype == np.float32


def test_a_class_without_a_name_is_called_by_its_id():
    assert result(names=("cat",)).label_names == ["1", "2"]


@pytest.mark.parametrize("spelling", ["format_json", "json_format"])
def test_print_takes_both_spellings(capsys, spelling):
    result().print(**{spelling: False})
    assert capsys.readouterr().out == f"{result()}\n"
    result().print(**{spelling: True})
    assert json.loads(capsys.readouterr().out)["res"]["label_names"][1] == "熊 bear"


def test_print_options(capsys):
    result().print(indent=1, ensure_ascii=True)
    text = capsys.readouterr().out
    assert '\n "res"' in text and "\\u718a" in text


def test_saving_into_a_folder_names_files_after_the_input(tmp_path):
    found = result("some/where/bär 熊.jpeg")
    found.save_all(tmp_path / "new" / "folder")
    names = sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert names == ["bär 熊_res.jpeg", "bär 熊_res.json"]
    stored = json.loads((tmp_path / "new" / "folder" / "bär 熊_res.json").read_text(encoding="utf-8"))
    assert stored == found.json["res"]


def test_saving_to_a_file_keeps_its_name(tmp_path):
    assert result().save_to_json(tmp_path / "x.json") == tmp_path / "x.json"
    assert result().save_to_img(tmp_path / "x.png") == tmp_path / "x.png"
    assert read_image(tmp_path / "x.png").shape == GREY.shape


def test_same_name_in_two_folders_gives_two_files_and_repeating_one_overwrites_it(tmp_path):
    for path in ("a/x.jpg", "b/x.jpg", "a/x.jpg"):
        result(path).save_to_json(tmp_path)
    stored = {path.name: json.loads(path.read_text())["input_path"] for path in tmp_path.iterdir()}
    assert stored == {"x_res.json": "a/x.jpg", "x-2_res.json": "b/x.jpg"}


def test_one_file_for_two_inputs_is_said(tmp_path, caplog):
    result("a/x.jpg").save_to_json(tmp_path / "res.json")
    result("b/x.jpg").save_to_json(tmp_path / "res.json")
    assert "overwritten" in caplog.text


def test_frames_have_their_number_in_name_and_json(tmp_path):
    found = result("clip.mp4", frame_index=12)
    assert found.json["res"]["frame_index"] == 12
    assert found.save_to_img(tmp_path).name == "clip_frame000012_res.png"


def test_a_file_where_a_folder_is_wanted_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(PdxError, match=r"taken is a file; give a folder"):
        result().save_to_json(tmp_path / "taken")


def test_the_image_is_read_again_from_its_file(tmp_path):
    write_image(tmp_path / "p.png", GREY)
    found = result(str(tmp_path / "p.png"), image=None)
    picture = found.img["res"]
    assert picture.size == (80, 60) and np.asarray(picture).std() > 0
    assert (read_image(tmp_path / "p.png") == GREY).all()


def test_plain_turns_arrays_and_paths_into_json(tmp_path):
    given = {"a": np.float32(0.1), "b": np.arange(2), "c": (tmp_path, [np.bool_(True)])}
    assert plain(given) == {"a": 0.1, "b": [0, 1], "c": [str(tmp_path), [True]]}
