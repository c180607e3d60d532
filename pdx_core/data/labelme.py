"""Reads LabelMe json files: what every task needs of them. What their shapes mean is each task's own."""

from __future__ import annotations

import json
import posixpath
from pathlib import Path
from typing import Any

import attrs

from pdx_core.data.findings import Findings
from pdx_core.data.list_files import ListLine
from pdx_core.data.paths import path_problem
from pdx_core.data.text_files import read_text
from pdx_core.errors import DataError


def labelme_files(root: Path) -> list[Path]:
    """Every json beside its image, in annotations/ or in the folder itself."""
    folders = [folder for folder in (root, root / "annotations", root / "images") if folder.is_dir()]
    return sorted(path for folder in folders for path in folder.glob("*.json"))


def looks_like_labelme(path: Path) -> bool:
    """LabelMe writes imageData, which is large, near the end: the first keys tell."""
    with path.open("rb") as stream:
        head = stream.read(400)
    return any(key in head for key in (b'"shapes"', b'"flags"')) and b'"version"' in head


def read_labelme(path: Path, name: str, findings: Findings) -> dict[str, Any] | None:
    """The content of one file without its embedded image, or None after a finding. name: the file as users know it."""
    try:
        content = json.loads(read_text(path))
    except DataError as error:
        findings.add("annotation-missing", str(error), file=name, fix="correct the list, or save the file as UTF-8")
        return None
    except json.JSONDecodeError as error:
        findings.add("json-syntax", f"is not valid JSON: {error.msg}", file=name,
                     location=f"line {error.lineno}, column {error.colno}", fix="export it again")  # fmt: skip
        return None
    except (RecursionError, ValueError) as error:
        findings.add("json-syntax", f"cannot be read as JSON: {error}", file=name, fix="export it again")
        return None
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        findings.add("labelme-shapes", "has no list of shapes", file=name, field="shapes", fix="export it from LabelMe")
        return None
    content.pop("imageData", None)
    return content


def read_listed(base: Path, lines: list[ListLine], findings: Findings) -> list[tuple[ListLine, dict[str, Any]]]:
    """The files of a list, each with its line, which names the image even where the list did not."""
    found = []
    for line in lines:
        content = read_labelme(base / line.annotation, line.annotation, findings)
        if content is None:
            continue
        if not line.image:
            line = attrs.evolve(line, image=image_named(base, line.annotation, content, findings))
        if line.image:
            found.append((line, content))
    return found


def image_named(root: Path, annotation: str, content: dict[str, Any], findings: Findings) -> str:
    """The image of a file, relative to `root`; "" after a finding.

    The imagePath counts from the json; where it leads nowhere, being of another machine, its last part is looked for.
    """
    written = content.get("imagePath")
    direct = posixpath.normpath(f"{posixpath.dirname(annotation)}/{written}".replace("\\", "/").lstrip("/"))
    if isinstance(written, str) and not path_problem(direct) and (root / direct).is_file():
        return direct
    name = str(written or "").replace("\\", "/").rsplit("/", 1)[-1]
    if not name or path_problem(name):
        findings.add("file-name-missing", "does not name its image", file=annotation, field="imagePath",
                     value=written, fix="write the name of the image file")  # fmt: skip
        return ""
    for folder in ("images", "JPEGImages", str(Path(annotation).parent)):
        if (root / folder / name).is_file():
            return (Path(folder) / name).as_posix()
    return f"images/{name}"


def labels_of(content: dict[str, Any]) -> list[str]:
    """The labels of all shapes, in their order."""
    return [shape["label"] for shape in content["shapes"]
            if isinstance(shape, dict) and isinstance(shape.get("label"), str) and shape["label"]]  # fmt: skip


def image_side(content: dict[str, Any], key: str, name: str, findings: Findings) -> int:
    """imageWidth or imageHeight; 0 after a finding."""
    value = content.get(key)
    if value is None:
        findings.warn("image-size-missing", f"has no {key}", file=name, field=key, fix="add it")
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1_000_000:
        findings.add("image-size-invalid", f"{key} is {value!r}", file=name, field=key, value=value,
                     fix="write the size of the image in pixels")  # fmt: skip
        return 0
    return value
