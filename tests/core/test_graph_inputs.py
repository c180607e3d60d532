"""Whether an exported graph takes images of one size only."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.paddle


@pytest.mark.parametrize(("sides", "size"), [((48, 64), (48, 64)), ((None, None), None), ((48, None), None)])
def test_the_size_that_a_graph_was_exported_for(sides: tuple, size: tuple | None, tmp_path: Path) -> None:
    import paddle

    from pdx_core.model_card import graph_file
    from pdx_core.paddle_support import save_static
    from pdx_core.runtimes.paddle_inference import PaddleInference

    class Scaled(paddle.nn.Layer):
        def __init__(self):
            super().__init__()
            self.conv = paddle.nn.Conv2D(3, 2, 1)

        def forward(self, images, scale_factor):
            return self.conv(images) * scale_factor.sum()

    specs = [
        paddle.static.InputSpec([None, 3, *sides], "float32", "images"),
        paddle.static.InputSpec([None, 2], "float32", "scale_factor"),
    ]
    save_static(Scaled(), specs, str(tmp_path / "inference"))
    assert graph_file(tmp_path).is_file()
    assert PaddleInference(tmp_path).image_size == size
