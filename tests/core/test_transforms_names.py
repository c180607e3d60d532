"""The light table of transforms agrees with the classes, and wrong entries are explained."""

from __future__ import annotations

import subprocess
import sys

import attrs
import pytest

from pdx_core.errors import ConfigError, UnknownNameError
from pdx_core.specs import import_target
from pdx_core.transforms.build import build, build_batch
from pdx_core.transforms.names import BATCH_TRANSFORMS, SAMPLE_TRANSFORMS, check_names


@pytest.mark.parametrize(("name", "entry"), [*SAMPLE_TRANSFORMS.items(), *BATCH_TRANSFORMS.items()])
def test_table_matches_class(name, entry):
    target, parameters = entry
    found = import_target(target)
    assert found.__name__ == name
    assert {field.name for field in attrs.fields(found) if field.init} == set(parameters)
    assert found.__doc__


@pytest.mark.parametrize(
    ("entry", "error", "words"),
    [
        ({"Resise": {}}, UnknownNameError, "Did you mean 'Resize'"),
        ({"Mixup": {}}, UnknownNameError, "batch_transforms"),
        ({"Resize": {"sise": 3}}, ConfigError, "Did you mean 'size'"),
        ({"Resize": {}, "Pad": {}}, ConfigError, "one per list item"),
        ({"Resize": 224}, ConfigError, "must be a mapping"),
        (3, ConfigError, "written as"),
        ({"Resize": {}}, ConfigError, "missing 1 required.*'size'"),
        ({"Resize": {"size": -1}}, ConfigError, "positive whole number"),
        ({"Resize": {"size": 8, "interpolation": "cubic"}}, ConfigError, "one of nearest, bilinear"),
        ({"RandomHorizontalFlip": {"prob": 2}}, ConfigError, "between 0 and 1"),
        ({"Normalize": {"std": [1, 0, 1]}}, ConfigError, "greater than 0"),
        ({"Pad": {}}, ConfigError, "either size or divisor"),
        ({"RandomScale": {"low": 2, "high": 1}}, ConfigError, "low must not be above high"),
    ],
)
def test_wrong_entries_are_explained(entry, error, words):
    with pytest.raises(error, match=words) as caught:
        build([entry], origin="run.yaml:7")
    assert str(caught.value).startswith("run.yaml:7: ")


def test_names_are_folded_and_import_paths_work():
    assert type(build(["randomhorizontalflip"])[0]).__name__ == "RandomHorizontalFlip"
    assert build([{"pdx_core.transforms.flip:RandomHorizontalFlip": {"prob": 1}}])[0].prob == 1
    with pytest.raises(UnknownNameError, match="train_transforms"):
        build_batch(["Resize"])


def test_checking_names_imports_nothing_heavy():
    code = (
        "import sys; from pdx_core.transforms.names import check_names; check_names([{'Resize': {'size': 3}}]); "
        "assert not {'numpy', 'cv2', 'paddle'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    check_names(["Normalize"])
