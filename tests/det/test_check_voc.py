"""Every defect of Pascal VOC files and their lists is found, with file and place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from box_datasets import check, find


def xml_of(root: Path) -> Path:
    return root / "Annotations" / "train_1.xml"


def replace(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><annotation>&b;</annotation>'
BAD_XML: dict[str, tuple[Callable[[str], str | bytes], str, str]] = {
    "empty": (lambda text: "", "xml-empty", ""),
    "cut off": (lambda text: text[: len(text) // 2], "xml-syntax", "line"),
    "no xml": (lambda text: "{}", "xml-syntax", "line 1"),
    "bomb": (lambda text: BOMB, "xml-entities", ""),
    "external entity": (
        lambda text: '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation>&x;</annotation>',
        "xml-entities",
        "",
    ),
    "not utf-8": (
        lambda text: text.replace("train_1.png", "gr\xfc\xdfe.png").encode("latin-1"),
        "xml-not-utf-8",
        "line",
    ),
    "unknown encoding": (lambda text: '<?xml version="1.0" encoding="klingon"?>' + text, "xml-encoding", ""),
    "no size": (lambda text: text.replace("size>", "sized>"), "xml-size-missing", ""),
    "zero size": (replace("<width>48<", "<width>0<"), "image-size-invalid", ""),
    "width no number": (replace("<width>48<", "<width>wide<"), "image-size-invalid", ""),
    "wrong size": (replace("<width>48<", "<width>480<"), "image-size-differs", ""),
    "unknown class": (replace("<name>dog<", "<name>wolf<"), "class-unknown", "object[0]"),
    "no name": (replace("<name>dog</name>", ""), "class-missing", "object[0]"),
    "no corner": (replace("<xmin>2</xmin>", ""), "bbox-missing", "object[0]"),
    "no box": (lambda text: text.replace("bndbox>", "box>"), "bbox-missing", "object[0]"),
    "corner no number": (replace("<xmin>2<", "<xmin>two<"), "bbox-not-a-number", "object[0]"),
    "corner nan": (replace("<xmin>2<", "<xmin>nan<"), "bbox-not-finite", "object[0]"),
    "turned corners": (replace("<xmax>12<", "<xmax>1<"), "bbox-negative-size", "object[0]"),
    "no width": (replace("<xmax>12<", "<xmax>2<"), "bbox-zero-size", "object[0]"),
    "outside": (replace("<xmin>2<", "<xmin>60<"), "bbox-negative-size", "object[0]"),
    "sticks out": (replace("<ymax>15<", "<ymax>60<"), "bbox-partly-outside", "object[0]"),
    "difficult": (replace("<difficult>0<", "<difficult>maybe<"), "difficult-value", "object[0]"),
    "of another image": (replace("train_1.png", "else.png"), "xml-of-another-image", ""),
    "from one": (replace("<ymax>15<", "<ymax>33<"), "bbox-one-based", ""),
}


@pytest.mark.parametrize("case", BAD_XML)
def test_defects_of_xml_files_are_named(convert, case):
    root = convert("VOC")
    change, code, location = BAD_XML[case]
    path = xml_of(root)
    changed = change(path.read_text(encoding="utf-8"))
    path.write_bytes(changed if isinstance(changed, bytes) else changed.encode("utf-8"))
    finding = find(check(root), code)
    assert finding.file == "Annotations/train_1.xml"
    assert finding.location.startswith(location)
    assert finding.fix


def test_counting_from_one_and_from_zero(convert):
    root = convert("VOC")
    path = xml_of(root)
    path.write_text(replace("<ymax>15<", "<ymax>33<")(path.read_text()), encoding="utf-8")
    other = root / "Annotations" / "train_2.xml"
    other.write_text(replace("<xmin>2<", "<xmin>0<")(other.read_text()), encoding="utf-8")
    assert find(check(root), "bbox-mixed-counting")


def test_lists_with_wrong_lines(convert):
    root = convert("VOC")
    path = root / "train_list.txt"
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join([*lines, lines[0], "JPEGImages/a.png ../b.xml", "JPEGImages/a.png Annotations/a.xml"]) + "\n"
    )
    report = check(root)
    assert find(report, "image-listed-twice").location == "line 7"
    assert find(report, "path-outside-dataset").location == "line 8"
    assert find(report, "annotation-missing").file == "Annotations/a.xml"


def test_boxes_are_compared_with_the_file_where_the_annotation_has_no_size(convert):
    root = convert("VOC")
    path = xml_of(root)
    path.write_text(path.read_text().replace("size>", "sized>").replace("<ymax>15<", "<ymax>60<"))
    finding = find(check(root), "bbox-partly-outside")
    assert (finding.file, finding.location) == ("Annotations/train_1.xml", "object[0]")
