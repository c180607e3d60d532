"""Training and evaluation must normalise alike, or nothing that was learned is seen."""

from __future__ import annotations

import pytest

pytest.importorskip("paddle")

from pdx_core.errors import ConfigError
from pdx_core.settings import DataConfig
from pdx_core.train.assemble import check_normalisation

HALVES = {"Normalize": {"mean": [0.5] * 3, "std": [0.5] * 3}}


def test_another_mean_in_evaluation_is_refused_with_both():
    with pytest.raises(ConfigError, match=r"mean \[0.485, .*eval_transforms with mean \[0.5, 0.5, 0.5\].*of ImageNet"):
        check_normalisation(DataConfig(train_transforms=["Normalize"], eval_transforms=[HALVES]))


@pytest.mark.parametrize(
    ("train", "evaluation"),
    [
        ([HALVES], [HALVES]),
        (["Normalize"], [{"Normalize": {"pad_multiple": 32}}]),  # padding is no pixel of the picture
        ([], ["Normalize"]),
        ([], []),
    ],
)
def test_equal_or_absent_normalisation_is_fine(train, evaluation):
    check_normalisation(DataConfig(train_transforms=train, eval_transforms=evaluation))
