"""Every defect of LabelMe files is found, with file and place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from box_datasets import check, edit, find

BAD_SHAPES: dict[str, tuple[Callable[[dict], Any], str, str]] = {
    "polygon": (lambda c: c["shapes"][0].update(shape_type="polygon"), "shape-not-rectangle", "shapes[0]"),
    "one point": (lambda c: c["shapes"][0].update(points=[[1, 2]]), "bbox-length", "shapes[0]"),
    "text": (lambda c: c["shapes"][0].update(points=[["1", 2], [3, 4]]), "bbox-not-a-number", "shapes[0]"),
    "flat": (lambda c: c["shapes"][0].update(points=[[1, 2], [1, 9]]), "bbox-zero-size", "shapes[0]"),
    "label": (lambda c: c["shapes"][0].update(label="wolf"), "class-unknown", "shapes[0]"),
    "no object": (lambda c: c["shapes"].append(3), "class-unknown", "shapes[2]"),
    "no shapes": (lambda c: c.pop("shapes"), "labelme-shapes", ""),
    "no image": (lambda c: c.pop("imagePath"), "file-name-missing", ""),
    "size": (lambda c: c.update(imageWidth=7), "image-size-differs", ""),
}


@pytest.mark.parametrize("case", BAD_SHAPES)
def test_defects_of_labelme_files_are_named(convert, case):
    root = convert("LabelMe")
    change, code, location = BAD_SHAPES[case]
    edit(root, change, "annotations/train_1.json")
    finding = find(check(root), code)
    assert (finding.file, finding.location) == ("annotations/train_1.json", location)
