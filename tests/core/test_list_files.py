"""Lists of pairs: where a line is cut, and what is said when it cannot be."""

from __future__ import annotations

import pytest

from pdx_core.data.findings import Findings
from pdx_core.data.list_files import list_file, list_problem, quoted, read_list, split_line
from pdx_core.data.size_check import size_difference


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("a.jpg b.png", ["a.jpg", "b.png"]),
        ("a.jpg\tb.png", ["a.jpg", "b.png"]),
        ("a b.jpg\t b.png ", ["a b.jpg", "b.png"]),
        ('"a b.jpg" b.png', ["a b.jpg", "b.png"]),
        ("a b.jpg c.png", ["a b.jpg", "c.png"]),  # the only cut at which both are there
        ("x y.jpg z.png", ["x", "y.jpg", "z.png"]),  # nothing is there: nobody can say
        ("a b c.png", ["a", "b", "c.png"]),  # "a" + "b c.png" and "a b" + "c.png" are both there
    ],
)
def test_a_line_is_cut_where_there_is_no_doubt(tmp_path, text, fields):
    for name in ("a b.jpg", "c.png", "a", "a b", "b c.png"):
        (tmp_path / name).touch()
    assert split_line(text, tmp_path, pairs=True) == fields


def test_paths_with_blanks_are_written_so_that_they_are_read_back(tmp_path):
    (tmp_path / "train.txt").write_text(f"{quoted('my a.jpg')} {quoted('b.png')}\n", encoding="utf-8")
    findings = Findings()
    (line,) = read_list(tmp_path / "train.txt", tmp_path, tmp_path, findings, pairs=True)
    assert (line.image, line.annotation, line.number) == ("my a.jpg", "b.png", 1) and not len(findings)


def test_what_is_the_matter_with_a_list_is_said(tmp_path):
    assert list_problem(tmp_path, "train") == ("train.txt", "there is no list for train")
    (tmp_path / "train_list.txt").write_text("\n")
    assert list_problem(tmp_path, "train") == ("train_list.txt", "is empty")
    (tmp_path / "train_list.txt").write_text("a.jpg b.png\n")
    assert list_file(tmp_path, "train", (".png",)) == tmp_path / "train_list.txt"
    assert list_file(tmp_path, "train", ".xml") is None


@pytest.mark.parametrize(
    ("annotated", "shown", "stored", "expected"),
    [
        ((3, 2), (3, 2), (3, 2), ""),
        ((3, 2), (2, 3), (3, 2), "unrotated"),
        ((3, 2), (2, 3), (2, 3), "swapped"),
        ((3, 2), (6, 4), (6, 4), "differs"),
    ],
)
def test_sizes_that_differ_are_explained(annotated, shown, stored, expected):
    assert size_difference(annotated, shown, stored) == expected
