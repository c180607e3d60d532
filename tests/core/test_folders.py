"""A folder is replaced as a whole or not at all."""

import pytest

from pdx_core.errors import PdxError, WorkFailedError
from pdx_core.folders import replace_folder


def ours(name):
    return name.startswith("inference.")


def test_a_finished_folder_takes_the_place_of_the_old_one(tmp_path):
    for text in ("one", "two"):
        with replace_folder(tmp_path / "a" / "model", ours) as scratch:
            (scratch / "inference.yml").write_text(text)
    assert (tmp_path / "a" / "model" / "inference.yml").read_text() == "two"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["model"]


def test_a_failure_leaves_what_was_there(tmp_path):
    with replace_folder(tmp_path / "model", ours) as scratch:
        (scratch / "inference.yml").write_text("one")
    with pytest.raises(WorkFailedError), replace_folder(tmp_path / "model", ours) as scratch:
        (scratch / "inference.yml").write_text("half")
        raise WorkFailedError("no")
    assert (tmp_path / "model" / "inference.yml").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_with_other_files_is_never_replaced(tmp_path):
    (tmp_path / "holiday.jpg").write_text("precious")
    with pytest.raises(PdxError, match=r"holds other files \(holiday\.jpg\)"), replace_folder(tmp_path, ours):
        raise AssertionError("must not come here")
    assert (tmp_path / "holiday.jpg").exists()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PdxError, match="cannot write"), replace_folder(tmp_path / "file" / "model", ours):
        pass
    with pytest.raises(PdxError, match="is a file"), replace_folder(tmp_path / "file", ours):
        pass
