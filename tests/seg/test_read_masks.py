"""Readers of segmentation data: every way masks are stored, laid out and coded."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from mask_datasets import CLASSES, SIZE, label_map, photo, shape, write_folders, write_labelme, write_lists
from PIL import Image

from pdx_core.data.reading import open_dataset, recognise
from pdx_core.errors import ConfigError, DataError
from pdx_core.images import write_image
from pdx_core.settings import Component
from pdx_seg.labels import IGNORE
from pdx_seg.palette import IGNORE_COLOUR, mask_palette, palette
from pdx_seg.readers.cityscapes import TRAINED_IDS
from pdx_seg.readers.labelme import draw_polygons
from pdx_seg.readers.listing import Polygon
from pdx_seg.readers.mask_files import decode_mask
from pdx_seg.remap import parse_remap, remap_json, remap_text

VALUES = np.random.default_rng(5).integers(0, 256, (13, 17), dtype=np.uint8)


def encoded(values: np.ndarray, mode: str | None = None, kind: str = "PNG", **options) -> bytes:
    picture = Image.fromarray(values) if mode is None else Image.fromarray(values, mode)
    if mode == "P":
        picture.putpalette(np.random.default_rng(1).integers(0, 256, 768, dtype=np.uint8).tolist())
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


# -- files -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_gives_its_indices_not_its_colours(bits):
    values = VALUES & (2**bits - 1)
    np.testing.assert_array_equal(decode_mask(encoded(values, "P", bits=bits), None).values, values)


def test_a_palette_with_transparency_gives_its_indices_too():
    data = encoded(VALUES, "P", transparency=bytes(range(256)))
    raw = decode_mask(data, None)
    np.testing.assert_array_equal(raw.values, VALUES)
    assert not raw.alpha


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_grey_levels_are_what_was_stored(kind):
    np.testing.assert_array_equal(decode_mask(encoded(VALUES, kind=kind), None).values, VALUES)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_grey_levels_of_few_bits_are_not_stretched(bits):
    """Pillow writes only 1-bit grey; the others are palette files made grey by hand."""
    from pdx_seg.readers.mask_files import _as_grey

    values = VALUES & (2**bits - 1)
    np.testing.assert_array_equal(decode_mask(_as_grey(encoded(values, "P", bits=bits)), None).values, values)
    if bits == 1:
        np.testing.assert_array_equal(decode_mask(encoded(values.astype(bool)), None).values, values)


def test_sixteen_bits_and_alpha_are_told():
    deep = decode_mask(encoded(VALUES.astype(np.uint16) * 256), None)
    assert deep.deep and deep.values.max() == int(VALUES.max()) * 256
    assert decode_mask(encoded(np.dstack([VALUES] * 4)), None).alpha == "transparent"
    full = np.full_like(VALUES, 255)
    assert decode_mask(encoded(np.dstack([VALUES, full]), "LA"), None).alpha == "opaque"
    assert decode_mask(encoded(VALUES, kind="JPEG"), None).lossy == "JPEG"


def test_the_orientation_of_a_mask_itself_is_applied():
    exif = Image.Exif()
    exif[274] = 6
    raw = decode_mask(encoded(VALUES, "P", exif=exif), None)
    np.testing.assert_array_equal(raw.values, np.rot90(VALUES, -1))


# -- remap -----------------------------------------------------------------------------------------------------------
def test_remap_understands_values_ranges_and_colours():
    remap = parse_remap({"0": "ignore", "1-3": "0-2", 9: 5, "128 0 0": 1, "#00ff00": "2", (1, 2, 3): "ignore"})
    assert remap.values == {0: IGNORE, 1: 0, 2: 1, 3: 2, 9: 5}
    assert remap.colours == {(128, 0, 0): 1, (0, 255, 0): 2, (1, 2, 3): IGNORE}
    assert parse_remap(remap_json(remap)) == remap
    assert remap_text([(0, 0), (255, 1), ((1, 2, 3), IGNORE)]) == "{0: 0, 255: 1, 1 2 3: ignore}"


@pytest.mark.parametrize(
    "bad", [{"x": 0}, {"3-1": 0}, {"1-3": "0-1"}, {"1": -1}, {"1": 255}, {"0 0 300": 1}, {"1": 1.5}]
)
def test_remap_refuses_what_it_does_not_understand(bad):
    with pytest.raises(ValueError, match=r"'.*'|-1|1\.5"):  # it quotes what is wrong
        parse_remap(bad)
    with pytest.raises(ValueError, match="twice"):
        parse_remap({"1": 1, "0-2": 0})


def with_options(root: Path, split: str = "train", **options):
    return open_dataset(root, split, Component(name="SegDataset", options=options), "seg")


def test_the_ignored_value_can_be_chosen(tmp_path):
    root = write_lists(tmp_path / "data")
    sample = with_options(root, ignore=0, remap={"255": 0})[0]
    expected = np.where(label_map(0) == 0, IGNORE, np.where(label_map(0) == 255, 0, label_map(0)))
    np.testing.assert_array_equal(sample.label_map, expected)
    with pytest.raises(DataError, match=r"nothing is ignored.*255: "):
        with_options(root, ignore=None)[0]
    with pytest.raises(ConfigError, match="ignore must be"):
        with_options(root, ignore=-1)


# -- colours ---------------------------------------------------------------------------------------------------------
COLOURS = np.array([(64, 128, 0), (0, 0, 192), (128, 128, 128)], np.uint8)


def paint(root: Path) -> None:
    table = np.zeros((256, 3), np.uint8)
    table[:3] = COLOURS
    for path in (root / "annotations").iterdir():
        with Image.open(path) as image:
            write_image(path, table[np.asarray(image)])
    (root / "labels.txt").unlink()


@pytest.mark.parametrize(
    ("name", "text", "classes"),
    [
        ("class_dict.csv", "name,r,g,b\nground,64,128,0\ntree,0,0,192\ncar,128,128,128\nvoid,0,0,0\n", CLASSES),
        ("label_colors.txt", "64 128 0\tground\n0 0 192\ttree\n128 128 128\tcar\n0 0 0\tVoid\n", CLASSES),
        (
            "labelmap.txt",
            "# label:color_rgb:parts:actions\ntree:0,0,192::\ncar:128,128,128::\nbackground:64,128,0::\n"
            "unlabelled:0,0,0::\n",
            ("background", "tree", "car"),
        ),
    ],
)
def test_colours_are_understood_through_a_class_file(tmp_path, name, text, classes):
    root = write_lists(tmp_path / "data")
    paint(root)
    with pytest.raises(DataError, match="class"):
        open_dataset(root, "train", task="seg")[0]
    (root / name).write_text(text, encoding="utf-8")
    reader = open_dataset(root, "train", task="seg")
    assert reader.classes == classes
    np.testing.assert_array_equal(reader[1].label_map, label_map(1))


def test_colours_are_understood_through_a_remap(tmp_path):
    root = write_lists(tmp_path / "data")
    paint(root)
    remap = {"64 128 0": 0, "0 0 192": 1, "#808080": 2, "0 0 0": "ignore"}
    reader = with_options(root, remap=remap)
    assert len(reader.classes) == 3
    np.testing.assert_array_equal(reader[1].label_map, label_map(1))
    with pytest.raises(DataError, match=r"1 colours that are no class \(\(0 0 192\): "):
        (root / "labels.txt").write_text("a\nb\nc\n", encoding="utf-8")
        with_options(root, remap={key: label for key, label in remap.items() if label != 1})[0]


def test_a_names_file_decides_about_the_order_of_colours(tmp_path):
    root = write_lists(tmp_path / "data")
    paint(root)
    (root / "labels.txt").write_text("car\nground\ntree\n", encoding="utf-8")
    (root / "class_dict.csv").write_text("name,r,g,b\nground,64,128,0\ntree,0,0,192\ncar,128,128,128\nvoid,0,0,0\n")
    found = open_dataset(root, "train", task="seg")[0].label_map
    np.testing.assert_array_equal(found, np.array([1, 2, 0, *[255] * 253], np.uint8)[label_map(0)])


# -- class names -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.txt", "ground\ntree\ncar\n"),
        ("labels.txt", "__ignore__\nground\ntree\ncar\n"),
        ("label.txt", "0 ground\n2 car\n1 tree\n"),
        ("class_name_to_id.txt", "255: __ignore__\n0: ground\n1: tree\n2: car\n"),
        ("class_names.txt", "\ufeffground\r\ntree\r\ncar\r\n"),
    ],
)
def test_names_are_read_from_the_usual_files(tmp_path, name, text):
    root = write_lists(tmp_path / "data")
    (root / "labels.txt").unlink()
    (root / name).write_text(text, encoding="utf-8", newline="")
    assert open_dataset(root, "val", task="seg").classes == CLASSES


def test_names_that_begin_with_numbers_stay_names(tmp_path):
    root = write_lists(tmp_path / "data")
    (root / "labels.txt").write_text("1 euro\n2 euro\n50 cent\n", encoding="utf-8")
    assert open_dataset(root, "val", task="seg").classes == ("1 euro", "2 euro", "50 cent")


# -- layouts ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("images", "masks", "end"),
    [
        ("images/{}", "masks/{}", ""),
        ("images/{}", "annotations/{}", "_mask"),
        ("{}/images", "{}/labels", ""),
        ("{}/Images", "{}/Masks", "_L"),
        ("{}", "{}annot", ""),
        ("{}", "{}_labels", "_L"),
        ("JPEGImages/{}/deep", "Annotations/{}/deep", ""),
    ],
)
def test_folders_are_paired_by_names(tmp_path, images, masks, end):
    root = write_folders(tmp_path / "data", images, masks, end)
    assert recognise(root).spec.name == "MaskFolders"  # and no other task claims it
    for split, count in (("train", 4), ("val", 2)):
        reader = open_dataset(root, split, task="seg")
        assert (len(reader), reader.classes) == (count, CLASSES)
        for at in range(count):
            np.testing.assert_array_equal(reader[at].label_map, label_map(at))
    assert reader.describe(0).endswith("val_0.png")


def test_folders_that_nobody_divided_are_refused_with_the_command(tmp_path):
    root = write_folders(tmp_path / "data", "images", "masks")
    assert recognise(root).spec.name == "MaskFolders"
    with pytest.raises(DataError, match="pdx split"):
        open_dataset(root, "train")


def test_folders_of_json_or_xml_are_not_masks(tmp_path):
    write_image(tmp_path / "images" / "a.jpg", photo(1))
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "instance_train.json").write_text('{"images": []}')
    with pytest.raises(DataError, match="not a dataset for seg in a known layout"):
        recognise(tmp_path, task="seg")


def write_voc(root: Path) -> Path:
    for split, name in (("train", "a"), ("val", "b")):
        write_image(root / "JPEGImages" / f"{name}.jpg", photo(ord(name)))
        picture = Image.fromarray(label_map(0), "P")
        picture.putpalette(mask_palette().ravel().tolist())
        (root / "SegmentationClass").mkdir(exist_ok=True)
        picture.save(root / "SegmentationClass" / f"{name}.png")
        (root / "ImageSets" / "Segmentation").mkdir(parents=True, exist_ok=True)
        (root / "ImageSets" / "Segmentation" / f"{split}.txt").write_text(f"{name}\n")
    return root


def test_voc_is_read_and_the_original_has_its_names(tmp_path):
    root = write_voc(tmp_path / "VOC2012")
    assert recognise(tmp_path).spec.name == "VOCSegDataset"
    reader = open_dataset(root, "val")
    assert reader.classes[:3] == ("background", "aeroplane", "bicycle") and len(reader.classes) == 21
    np.testing.assert_array_equal(reader[0].label_map, label_map(0))
    other = root.rename(tmp_path / "mine")
    assert len(open_dataset(other, "val").classes) == 3  # its own, which no file names


@pytest.mark.parametrize("end", ["labelIds", "labelTrainIds"])
def test_cityscapes_ids_become_the_19_classes(tmp_path, end):
    ids = np.arange(34, dtype=np.uint8).reshape(2, 17)
    trained = np.full(256, IGNORE, np.uint8)
    trained[list(TRAINED_IDS)] = np.arange(19)
    for split, city in (("train", "aachen"), ("val", "ulm")):
        write_image(tmp_path / f"leftImg8bit/{split}/{city}/{city}_0_leftImg8bit.png", photo(3)[:2, :17])
        values = ids if end == "labelIds" else trained[ids]
        write_image(tmp_path / f"gtFine/{split}/{city}/{city}_0_gtFine_{end}.png", values)
        write_image(tmp_path / f"gtFine/{split}/{city}/{city}_0_gtFine_instanceIds.png", values)
        write_image(tmp_path / f"gtFine/{split}/{city}/{city}_0_gtFine_color.png", photo(4)[:2, :17])
    assert recognise(tmp_path).spec.name == "Cityscapes"
    reader = open_dataset(tmp_path, "val")
    assert len(reader) == 1 and reader.classes[0] == "road" and reader.classes[18] == "bicycle"
    np.testing.assert_array_equal(reader[0].label_map, trained[ids])
    assert reader[0].label_map[0, 7] == 0 and reader[0].label_map[1, 16] == 18  # ids 7 and 33


def test_masks_json_says_how_masks_are_read(tmp_path):
    root = write_lists(tmp_path / "data")
    (root / "masks.json").write_text(json.dumps({"remap": {"2": 1, "1": 2}}), encoding="utf-8")
    swapped = open_dataset(root, "train", task="seg")[0].label_map
    np.testing.assert_array_equal(swapped, np.array([0, 2, 1, *[255] * 253], np.uint8)[label_map(0)])
    np.testing.assert_array_equal(with_options(root, remap={"2": 2})[0].label_map, label_map(0))  # the option wins
    (root / "masks.json").write_text('{"remap": {"a": 1}}', encoding="utf-8")
    with pytest.raises(DataError, match="coding-file"):
        open_dataset(root, "train", task="seg")


# -- polygons --------------------------------------------------------------------------------------------------------
def test_labels_are_numbered_as_paddlex_does(tmp_path):
    shapes = {
        "train_0": [shape("car", [[1, 1], [9, 1], [9, 9]]), shape("__ignore__", [[10, 1], [14, 1], [14, 5], [10, 5]])],
        "train_1": [shape("_background_", [[1, 1], [9, 1], [9, 9]]), shape("tree", [[1, 1], [9, 1], [9, 9]])],
        "val_0": [shape("boat", [[1, 1], [9, 1], [9, 9]])],
    }
    root = write_labelme(tmp_path / "data", shapes)
    reader = open_dataset(root, "train", task="seg")
    assert reader.classes == ("_background_", "car", "tree", "boat")
    assert set(reader[0].label_map.ravel().tolist()) == {0, 1, IGNORE}
    assert reader[0].label_map[3, 12] == IGNORE and reader[0].label_map[2, 5] == 1


def test_a_names_file_without_background_gets_one(tmp_path):
    root = write_labelme(tmp_path / "data")
    (root / "labels.txt").write_text("__ignore__\ncar\ntree\n", encoding="utf-8")
    reader = open_dataset(root, "val", task="seg")
    assert reader.classes == ("_background_", "car", "tree")
    assert reader[0].label_map[6, 14] == 1 and reader[0].label_map[3, 3] == 2


def test_polygons_are_filled_with_their_edges_and_later_ones_lie_on_top():
    square = Polygon(np.array([(1.0, 1.0), (4.0, 1.0), (4.0, 3.0), (1.0, 3.0)]), 1)
    line = Polygon(np.array([(2.0, 0.0), (2.0, 4.0), (2.0, 2.0)]), 7)
    np.testing.assert_array_equal(
        draw_polygons([square, line], 6, 5),
        [[0, 0, 7, 0, 0, 0], [0, 1, 7, 1, 1, 0], [0, 1, 7, 1, 1, 0], [0, 1, 7, 1, 1, 0], [0, 0, 7, 0, 0, 0]],
    )


def test_rectangles_and_circles_are_areas_too(tmp_path):
    shapes = {
        "train_0": [
            shape("car", [[9, 9], [2, 3]], "rectangle"),
            shape("tree", [[16, 8], [19, 8]], "circle"),
        ]
    }
    found = open_dataset(write_labelme(tmp_path / "data", shapes), "train", task="seg")[0].label_map
    assert (found[3:10, 2:10] == 1).all() and (found == 1).sum() == 7 * 8
    assert 24 <= (found == 2).sum() <= 40  # 28 is the area; the outline is filled too


# -- colours of classes ----------------------------------------------------------------------------------------------
def test_the_palette_is_the_published_one():
    assert palette(4).tolist() == [[128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128]]
    assert palette(256)[[7, 20, 255]].tolist() == [[64, 0, 0], [128, 64, 128], [0, 0, 32]]
    assert len({tuple(colour) for colour in palette(256).tolist()}) == 256
    assert tuple(mask_palette()[IGNORE].tolist()) == IGNORE_COLOUR
    with pytest.raises(ValueError, match="1 to 256"):
        palette(257)


def test_sizes_agree_with_the_sample(tmp_path):
    sample = open_dataset(write_lists(tmp_path / "data"), "train", task="seg")[2]
    assert sample.size == sample.image.shape[:2] == sample.label_map.shape == SIZE[::-1]
    assert sample.id == "images/train_2.jpg" and sample.extra["mask_path"].endswith("train_2.png")
