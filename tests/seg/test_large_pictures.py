"""Pictures of any size in memory that stays flat."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from pdx_core.tiles import Grid
from pdx_seg.mosaic import label_map_of_tiles
from pdx_seg.outputs import Outputs
from pdx_seg.results import LabelMapResult
from pdx_seg.scores import best_classes

CLASSES = 19


def peak_mb(work):
    """What `work` returns, and the largest memory it held at a time beyond what was there before."""
    tracemalloc.start()
    try:
        found = work()
        return found, tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def coarse_scores(tile):
    generator = np.random.default_rng((tile.y, tile.x))
    return Outputs(
        None, generator.random((1, CLASSES, tile.height // 8, tile.width // 8), np.float32), (tile.height, tile.width)
    ), (tile.height, tile.width)


@pytest.mark.parametrize("shape", [(960, 3000), (3000, 960)])
def test_a_mosaic_holds_a_strip_of_the_shorter_side(shape):
    grid = Grid.over(*shape, 512, 0.125)
    labels, used = peak_mb(lambda: label_map_of_tiles(grid, coarse_scores))
    strip = CLASSES * 64 * 960 * 4 / 1e6  # 4.7 MB; along the longer side it would be 15
    beside = 2 * CLASSES * 64 * 512 * 4 / 1e6  # sums to the left of a tile, old and new
    assert labels.shape == shape and used < labels.nbytes / 1e6 + 2 * strip + beside + 10
    whole = CLASSES * labels.size * 4 / 1e6  # 219 MB
    assert used < whole / 5


def test_scores_of_a_small_input_are_spread_over_a_large_picture():
    scores = np.random.default_rng(0).random((CLASSES, 64, 64), np.float32)
    labels, used = peak_mb(lambda: best_classes(scores, (4000, 3000)))
    assert used < labels.nbytes / 1e6 + 8


def test_saving_takes_no_number_per_pixel(tmp_path, monkeypatch):
    monkeypatch.setattr("pdx_seg.results.LISTED_PIXELS", 2_000_000)
    labels = np.zeros((2000, 1500), np.uint8)
    labels[1000:1500, 500:1000] = 3
    result = LabelMapResult("x.png", labels, ("a",))
    path, used = peak_mb(lambda: result.save_to_json(tmp_path))
    assert used < 20 and path.stat().st_size < 50_000  # 3 million numbers of Python in lists are 24 MB
    assert sum(length for _, length in json.loads(path.read_text())["pred_runs"]["runs"]) == labels.size
    listed = LabelMapResult("y.png", labels[:1000], ("a",))
    path, used = peak_mb(lambda: listed.save_to_json(tmp_path))
    assert used < 10 and np.array(json.loads(path.read_text())["pred"]).shape == (1, 1000, 1500)


SCRIPT = """
import json, resource, sys
import numpy as np
from pdx_core.images import write_image
from pdx_core.config import default_config
from pdx_core.model_card import ModelCard
from pdx_core.runtimes.dygraph import Dygraph
from pdx_core.train.network import build_network
from pdx_seg.predictor import SegPredictor

folder, model = sys.argv[1:]
small = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
write_image(f"{folder}/large.jpg", np.tile(small.repeat(10, axis=0).repeat(10, axis=1), (10, 10, 1)))
card = ModelCard(name=model, task="seg", transforms=tuple(default_config(model).data.eval_transforms))
(result,) = SegPredictor(card, Dygraph(build_network(model))).predict(f"{folder}/large.jpg")
result.save_all(folder)
print(json.dumps({"gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, "shape": result.label_map.shape}))
"""


@pytest.mark.sweep
@pytest.mark.paddle
@pytest.mark.parametrize("model", ["FastSCNN", "HRNet_W18_Small_v1"])
def test_ten_thousand_by_ten_thousand_within_two_gigabytes(model, tmp_path):
    """Reading, predicting, drawing and saving, in a process of its own: minutes."""
    ended = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path), model], capture_output=True, check=True)
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["shape"] == [10_000, 10_000] and found["gb"] < 2.0
