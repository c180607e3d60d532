"""What `predict` may be given, and what it says to the rest."""

import numpy as np
import pytest

from pdx_core.errors import DataError, PdxError
from pdx_core.images import encode_image, write_image
from pdx_core.inputs import check_input, expand
from pdx_core.opencv import require_cv2

RED_RGB = np.zeros((4, 6, 3), np.uint8)
RED_RGB[..., 0] = 200


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "фото 📷"
    for name in ("b.png", "a.png", "sub/c.JPG", "[1].png"):
        write_image(folder / name, RED_RGB) if name.endswith("png") else None
    (folder / "sub").mkdir()
    (folder / "sub" / "c.JPG").write_bytes(encode_image(RED_RGB, ".jpg"))
    (folder / "notes.txt").write_text("no image")
    return folder


def names(source, **options):
    return [item.name for item in expand(source, **options)]


def test_a_folder_is_read_recursively_in_order_of_names(photos):
    found = names(str(photos))
    assert [name[len(str(photos)) + 1 :] for name in found] == ["[1].png", "a.png", "b.png", "sub/c.JPG"]
    assert not any(item.named for item in expand(photos))


def test_lists_mix_everything(photos):
    found = list(expand([RED_RGB, str(photos / "a.png"), (photos / "sub",), [RED_RGB]]))
    assert [item.name for item in found[1:3]] == [str(photos / "a.png"), str(photos / "sub" / "c.JPG")]
    assert found[0].name.startswith("array_") and found[0].name != found[3].name
    assert [item.named for item in found] == [True, True, False, True]


def test_patterns_and_a_file_whose_name_looks_like_one(photos):
    assert names(str(photos / "*.png")) == [str(photos / name) for name in ("[1].png", "a.png", "b.png")]
    assert names(str(photos / "**" / "*.JPG")) == [str(photos / "sub" / "c.JPG")]
    assert names(str(photos / "[1].png")) == [str(photos / "[1].png")]


def test_a_relative_path_keeps_its_spelling(photos, monkeypatch):
    monkeypatch.chdir(photos)
    assert names("a.png") == ["a.png"] and names("./a.png") == ["./a.png"]


def test_arrays_are_bgr_like_cv2_imread():
    (item,) = expand(np.ascontiguousarray(RED_RGB[..., ::-1]))
    assert (item.load(None) == RED_RGB).all() and not item.is_file


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1)])
def test_grey_arrays(shape):
    (item,) = expand(np.full(shape, 7, np.uint8))
    assert item.image.shape == (4, 6, 3) and (item.image == 7).all()


def test_the_transparency_of_an_array_is_dropped():
    (item,) = expand(np.dstack([RED_RGB[..., ::-1], np.full((4, 6), 9, np.uint8)]))
    assert (item.image == RED_RGB).all()


def test_bytes_and_pillow_images():
    from PIL import Image

    (item,) = expand(encode_image(RED_RGB, ".png"))
    assert (item.load(None) == RED_RGB).all()
    (item,) = expand(Image.fromarray(RED_RGB))
    assert (item.load(None) == RED_RGB).all()


def test_a_stream_is_read_as_it_is_needed():
    drawn = []

    def stream():
        for number in range(3):
            drawn.append(number)
            yield RED_RGB

    found = expand(stream())
    next(found)
    assert drawn == [0]


def test_a_video_gives_its_frames(tmp_path):
    cv2 = require_cv2()
    path = str(tmp_path / "clip.avi")
    video = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 5, (32, 16))
    if not video.isOpened():
        pytest.skip("this OpenCV cannot write videos")
    for level in (0, 120, 240):
        video.write(np.full((16, 32, 3), level, np.uint8))
    video.release()
    frames = list(expand(path))
    assert [frame.frame_index for frame in frames] == [0, 1, 2] and {frame.name for frame in frames} == {path}
    assert [round(frame.image.mean() / 120) for frame in frames] == [0, 1, 2]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("no/such/file.jpg", "no such file or folder: no/such/file.jpg"),
        ("", "no such file or folder: ''"),
        ("nothing*.png", "no image or video matches 'nothing"),
        ("ftp://host/a.jpg", "only http and https"),
        ("paper.pdf", "PDF pages are not read"),
        ([], "list of inputs is empty"),
        (["no.jpg"], "no such file or folder: no.jpg"),
        (5, "cannot predict on int"),
        (None, "cannot predict on NoneType"),
        (np.zeros((4, 4, 3), np.float32), "must be uint8.*float32"),
        (np.zeros((2, 4, 4, 3), np.uint8), "as a list"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_runs(source, words):
    with pytest.raises(PdxError, match=words):
        check_input(source)
    with pytest.raises(PdxError, match=words):
        list(expand(source))


def test_a_near_name_is_suggested(photos):
    with pytest.raises(PdxError, match=r"Did you mean 'a\.png'"):
        check_input(str(photos / "a.pmg"))


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(PdxError, match="no image in"):
        check_input(tmp_path)


def test_urls_can_be_switched_off():
    assert names("https://example.org/a.jpg") == ["https://example.org/a.jpg"]
    with pytest.raises(PdxError, match="switched off"):
        check_input(["https://example.org/a.jpg"], allow_urls=False)


def test_a_file_that_is_no_video(tmp_path):
    (tmp_path / "x.mp4").write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read as a video"):
        list(expand(str(tmp_path / "x.mp4")))
