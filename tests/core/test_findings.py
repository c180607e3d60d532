"""Findings, the text files they come from, and which files count as images."""

from __future__ import annotations

import pytest

from pdx_core.data.findings import Findings
from pdx_core.data.text_files import read_lines, read_text
from pdx_core.errors import DataError
from pdx_core.image_files import has_images, is_image_file, walk_images


def collected() -> Findings:
    findings = Findings(limit=2)
    for number in range(3):
        findings.add(
            "bad-line", f"line is {number}", file="a.txt", location=f"line {number}", value=number, fix="mend it"
        )
    findings.warn("odd", "looks odd", file="b.txt")
    return findings


def test_counting_and_limits():
    findings = collected()
    assert (findings.error_count, findings.warning_count, len(findings)) == (3, 1, 4)
    assert [finding.location for finding in findings.errors] == ["line 0", "line 1"]
    assert findings.summary() == "3 errors, 1 warning"
    assert findings.to_json()["counts"] == {"bad-line": 3, "odd": 1}
    assert findings.to_json()["findings"][0] == {
        "code": "bad-line",
        "message": "line is 0",
        "severity": "error",
        "file": "a.txt",
        "location": "line 0",
        "field": "",
        "value": "0",
        "fix": "mend it",
    }


def test_table_says_how_many_more():
    lines = collected().table(per_code=1).splitlines()
    assert lines == [
        "error bad-line: a.txt, line 0: line is 0 -> mend it",
        "error bad-line: ... and 2 more like this",
        "warning odd: b.txt: looks odd",
    ]


def test_raising_only_for_errors():
    findings = Findings()
    findings.warn("odd", "looks odd")
    findings.raise_errors("cannot go on")
    findings.add("bad", "is bad", file="c.txt", location="line 7")
    with pytest.raises(DataError, match=r"cannot go on:\nerror bad: c\.txt, line 7: is bad"):
        findings.raise_errors("cannot go on")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_of_any_editor(tmp_path, encoding, ends):
    path = tmp_path / "list.txt"
    path.write_bytes(ends.join(["猫.jpg 0", "", "  dog.jpg 1  ", ""]).encode(encoding))
    assert read_lines(path) == [(1, "猫.jpg 0"), (3, "dog.jpg 1")]


def test_text_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_text(tmp_path / "none.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\x00\x81\xff\xff\xfe")
    with pytest.raises(DataError, match=r"binary\.txt: is not UTF-8 text"):
        read_text(tmp_path / "binary.txt")


def test_which_files_are_images(tmp_path):
    for name in ("b.JPG", "sub/a.png", "._b.jpg", "notes.txt", ".hidden/c.png", "Thumbs.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in walk_images(tmp_path)] == ["b.JPG", "sub/a.png"]
    assert has_images(tmp_path) and not has_images(tmp_path / ".hidden" / "none")
    assert is_image_file("x.WebP") and not is_image_file("x.svg")
