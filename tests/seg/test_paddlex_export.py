"""Segmenters that PaddleX exported: their card, and a graph whose only output is a label map."""

from __future__ import annotations

import numpy as np
import pytest

from pdx_core import create_model
from pdx_core.errors import ConfigError
from pdx_core.images import write_image
from pdx_core.model_card import read_card

CARD = """
Deploy:
  transforms: {}
  input_shape: [-1, 3, -1, -1]
  output_op: argmax
Global:
  model_name: {}
"""


def card_of(folder, transforms="[{type: Normalize}]", name="OCRNet_HRNet-W48"):
    (folder / "inference.yml").write_text(CARD.format(transforms, name), encoding="utf-8")
    return read_card(folder)


def test_the_card_is_understood(tmp_path):
    card = card_of(tmp_path)
    assert (card.name, card.task) == ("OCRNet_HRNet-W48", "seg")
    assert card.transforms == ({"Normalize": {"mean": [0.5] * 3, "std": [0.5] * 3}},)
    resized = card_of(
        tmp_path, "[{type: Normalize, mean: [0.1, 0.2, 0.3], std: 0.25}, {type: Resize, target_size: [640, 480]}]"
    )
    assert resized.transforms == (
        {"Resize": {"size": [480, 640], "keep_ratio": True, "interpolation": "bilinear", "divisor": 32}},
        {"Normalize": {"mean": [0.1, 0.2, 0.3], "std": [0.25] * 3}},
    )
    assert len(card_of(tmp_path, "[{type: Resize, target_size: -1}]").transforms) == 1
    assert card_of(tmp_path, name="FastSCNN").task == "seg"


@pytest.mark.parametrize(
    ("transforms", "message"),
    [
        ("[{type: Resise, target_size: 512}]", "unknown preprocessing operation 'Resise'. Did you mean 'Resize'"),
        ("[{type: Resize, size: 512}]", "Resize: cannot be used with"),
        ("[{type: Resize, target_size: 512, interp: RANDOM}]", "unknown interpolation 'RANDOM'"),
        ("[Normalize]", "must be a list of mappings with a type"),
    ],
)
def test_what_is_not_known_is_named(tmp_path, transforms, message):
    with pytest.raises(ConfigError, match=message):
        card_of(tmp_path, transforms)


@pytest.mark.paddle
@pytest.mark.parametrize("axis_kept", [False, True])
def test_a_graph_that_gives_classes_only(tmp_path, axis_kept):
    """Its classes are the strongest colours: [N, H, W], or [N, 1, H, W]."""
    import paddle

    from pdx_core.paddle_support import save_static

    class Strongest(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.axis_kept = axis_kept  # Paddle 2.6 cannot export variables of an enclosing function
            self.scale = self.create_parameter([1], default_initializer=paddle.nn.initializer.Constant(1.0))

        def forward(self, x):
            return paddle.argmax(x * self.scale, axis=1, keepdim=self.axis_kept, dtype="int32")

    spec = paddle.static.InputSpec([None, 3, None, None], "float32", "x")
    save_static(paddle.jit.to_static(Strongest(), input_spec=[spec]), [spec], str(tmp_path / "inference"))
    card_of(tmp_path, "[{type: Resize, target_size: 64, keep_ratio: true}, {type: Normalize}]")
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, :50, 0] = image[:, 50:120, 1] = image[:, 120:, 2] = 255
    write_image(tmp_path / "a.png", image)
    (result,) = create_model(model_dir=str(tmp_path), device="cpu").predict(str(tmp_path / "a.png"))
    assert result.label_map.shape == (100, 200)
    assert (result.label_map == image.argmax(axis=2)).mean() > 0.97
    (tiled,) = create_model(model_dir=str(tmp_path), device="cpu", tile=64).predict(str(tmp_path / "a.png"))
    assert (tiled.label_map == image.argmax(axis=2)).all()
