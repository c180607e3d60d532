"""The images, categories and masks of COCO files, checked one by one."""

from __future__ import annotations

from typing import Any

from pdx_core.data.findings import Findings
from pdx_core.data.paths import path_problem
from pdx_det.readers.listing import Picture


def read_images(items: list[Any], name: str, findings: Findings) -> list[Picture]:
    """The images of a file; those without a usable id or path become findings and are left out."""
    pictures: list[Picture] = []
    first_with_id: dict[int, int] = {}
    first_with_path: dict[str, int] = {}
    for number, item in enumerate(items):
        place = {"file": name, "location": f"images[{number}]"}
        if not isinstance(item, dict):
            findings.add("image-not-an-object", "is not an object", value=item, fix="remove it", **place)
            continue
        own = _whole_id(item, "image-id", first_with_id, number, "images", findings, place)
        path = _path(item, findings, place)
        width, height = (_side(item, key, findings, place) for key in ("width", "height"))
        if own is None or path is None:
            continue
        if path in first_with_path:
            findings.add(
                "image-listed-twice",
                f"{path} is images[{first_with_path[path]}] too",
                field="file_name",
                value=path,
                fix="list it once",
                **place,
            )
        first_with_path.setdefault(path, number)
        pictures.append(Picture(path, own, width, height, number, name))
    return pictures


def read_categories(items: list[Any], name: str, findings: Findings) -> dict[int, str]:
    """id -> name, of the categories that have both."""
    found: dict[int, str] = {}
    first_with_id: dict[int, int] = {}
    names: dict[str, int] = {}
    for number, item in enumerate(items):
        place = {"file": name, "location": f"categories[{number}]"}
        if not isinstance(item, dict):
            findings.add("category-not-an-object", "is not an object", value=item, fix="remove it", **place)
            continue
        own = _whole_id(item, "category-id", first_with_id, number, "categories", findings, place)
        label = item.get("name")
        if not isinstance(label, str) or not label.strip():
            findings.add("category-name", f"the name is {label!r}", field="name", value=label, fix="name it", **place)
            continue
        folded = " ".join(label.split()).casefold()
        if folded in names:
            exact = items[names[folded]].get("name") == label
            how = "is" if exact else "differs only in blanks or case from"
            report = findings.add if exact else findings.warn
            report(
                "category-name-duplicate" if exact else "category-name-similar",
                f"the name {label!r} {how} that of categories[{names[folded]}]",
                field="name",
                value=label,
                fix="give each category a name of its own",
                **place,
            )
        names.setdefault(folded, number)
        if own is not None:
            found.setdefault(own, label)
    if not items:
        findings.add("categories-empty", "lists no category", file=name, field="categories", fix="add the categories")
    ids = sorted(found)
    missing = sorted(set(range(ids[0], ids[-1])) - set(ids)) if ids and ids[-1] - ids[0] < 100_000 else ids[:0]
    if missing or (ids and ids[-1] - ids[0] >= 100_000):
        shown = ", ".join(map(str, missing[:10])) + (" ..." if len(missing) > 10 else "")
        findings.warn(
            "category-id-gaps",
            f"the category ids {ids[0]} to {ids[-1]} leave out {shown or 'most numbers'}; pdx numbers the "
            f"{len(ids)} classes from 0 in the order of their ids",
            file=name,
            field="categories",
            value=missing[:10],
            fix="nothing to do, unless a category was lost",
        )
    return found


def segmentation_problem(value: Any, crowd: bool, size: tuple[int, int]) -> str:
    """What is wrong with a mask, or nothing. size: width and height of the image, 0 where unknown."""
    if value is None or value == []:
        return ""
    if isinstance(value, list):
        if crowd:
            return "iscrowd is 1, so the segmentation must be run lengths, not polygons"
        for polygon in value:
            if not isinstance(polygon, list) or len(polygon) % 2:
                return "a polygon needs an even number of coordinates"
            if len(polygon) < 6:
                return "a polygon needs at least three points"
            if any(isinstance(item, bool) or not isinstance(item, (int, float)) for item in polygon):
                return "a polygon holds something that is not a number"
        return ""
    if not isinstance(value, dict) or "counts" not in value or "size" not in value:
        return "the segmentation is neither a list of polygons nor {size, counts}"
    if all(size) and list(value["size"]) != [size[1], size[0]]:
        return f"the mask is for an image of {value['size']} (height, width), the image is {[size[1], size[0]]}"
    counts = value["counts"]
    if isinstance(counts, list):
        whole = all(isinstance(item, int) and not isinstance(item, bool) and item >= 0 for item in counts)
        if not whole or (all(size) and sum(counts) != size[0] * size[1]):
            return "the run lengths do not sum to the number of pixels"
    elif not isinstance(counts, str):
        return f"counts is {type(counts).__name__}; it must be text or a list of run lengths"
    return ""


def _whole_id(
    item: dict[str, Any],
    code: str,
    first: dict[int, int],
    number: int,
    kind: str,
    findings: Findings,
    place: dict[str, str],
) -> int | None:
    """A whole number nobody has had before, or None after a finding."""
    own = item.get("id")
    if own is None:
        findings.add(f"{code}-missing", "has no id", field="id", fix="give it a number of its own", **place)
    elif not isinstance(own, int) or isinstance(own, bool) or abs(own) >= 2**63:
        findings.add(
            f"{code}-not-integer",
            f"the id {own!r} is not a whole number",
            field="id",
            value=own,
            fix="number them, and refer to the numbers in the annotations",
            **place,
        )
    elif own in first:
        findings.add(
            f"{code}-duplicate",
            f"the id {own} is that of {kind}[{first[own]}] too",
            field="id",
            value=own,
            fix="give each a number of its own",
            **place,
        )
    else:
        first[own] = number
        return own
    return None


def _path(item: dict[str, Any], findings: Findings, place: dict[str, str]) -> str | None:
    path = item.get("file_name")
    if not isinstance(path, str):
        what = "has no file_name" if path is None else f"file_name is {type(path).__name__}"
        findings.add("file-name-missing", what, field="file_name", value=path, fix="name the image file", **place)
        return None
    problem = path_problem(path)
    if problem:
        findings.add(
            "path-outside-dataset",
            problem,
            field="file_name",
            value=path,
            fix="write it relative to the folder of the images",
            **place,
        )
        return None
    if "\\" in path:
        findings.warn(
            "path-backslash",
            "the path is written with backslashes",
            field="file_name",
            value=path,
            fix="write / instead",
            **place,
        )
        path = path.replace("\\", "/")
    return path


def _side(item: dict[str, Any], key: str, findings: Findings, place: dict[str, str]) -> int:
    """Width or height; 0 where the file does not say."""
    value = item.get(key)
    if value is None:
        findings.warn("image-size-missing", f"has no {key}", field=key, fix="add width and height", **place)
        return 0
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1_000_000:
        findings.add(
            "image-size-invalid",
            f"{key} is {value!r}",
            field=key,
            value=value,
            fix="write the size of the image in pixels",
            **place,
        )
        return 0
    return value
