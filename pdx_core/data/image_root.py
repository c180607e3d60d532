"""Where the images of a dataset are when its lists stand elsewhere, as `pdx split` leaves them."""

from __future__ import annotations

from pathlib import Path

from pdx_core.data.findings import Findings
from pdx_core.data.text_files import read_lines

IMAGE_ROOT_NAME = "image_root.txt"  # written by `pdx split`: the folder that paths of the lists are relative to


def image_root(root: Path, findings: Findings) -> Path:
    """The folder that paths are relative to: the dataset itself, unless `pdx split` wrote down another one."""
    path = root / IMAGE_ROOT_NAME
    if not path.is_file():
        return root
    lines = read_lines(path)
    target = root / lines[0][1] if lines else root
    if not target.is_dir():
        findings.add(
            "image-root-missing",
            f"the folder with the images, {target}, is gone",
            file=IMAGE_ROOT_NAME,
            location="line 1",
            value=target,
            fix="write its new place there, or run `pdx split` again",
        )
    return target
