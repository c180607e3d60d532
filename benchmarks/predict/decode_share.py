"""Which share of an exported detector's time do decoding and suppression take?

    python benchmarks/predict/decode_share.py [MODEL] [--size 416] [--places 2000] [--pairs 12000] [--rounds 9]

The network is exported twice, as it is and cut off before its head's `decode`, and the two take turns at batch 1 on
drawn pictures. The share printed is the median over the rounds of 1 - (time of the cut one / time of the whole); the
limit is 0.15. Times are CPU times of one thread. Both runtimes of Paddle are measured where they can run the graph: the
oneDNN of Paddle 3.3 cannot run YOLOv3, that of Paddle 2.6 can.

The time of suppression depends on how many scores are above its threshold. The weights are random, so the last
convolutions are scaled and shifted until the scores on the pictures look as a trained detector's do: `--places` of them
have a class above the threshold, with `--pairs` classes in all. The defaults are what PicoDet-S_416 with its published
weights gives on street scenes; photos of single objects give fewer. `--pairs 0` leaves the weights as they are drawn.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from pdx_core import build_network
from pdx_core.config import default_config
from pdx_core.paddle_support import require_paddle, save_static
from pdx_core.runtimes.feeds import draw_pictures, make_feeds
from pdx_core.runtimes.paddle_inference import PaddleInference

require_paddle()

import paddle  # noqa: E402
from paddle import nn  # noqa: E402

LIMIT = 0.15
OFFSET_STD, CLASS_STD, OBJECTNESS_STD = 0.5, 2.0, 3.0  # of the logits
CONFIDENT = -5.3  # logit of the 0.005 below which YOLOv3 drops a box


class Part(nn.Layer):
    """The network as a graph of two inputs; `whole` says whether it decodes or gives a number for each raw map."""

    def __init__(self, network: Any, whole: bool) -> None:
        super().__init__()
        self.network = network
        self.whole = whole

    def forward(self, images: paddle.Tensor, scale_factor: paddle.Tensor) -> tuple[paddle.Tensor, ...]:
        im_shape = paddle.ones_like(scale_factor) * images.shape[2]
        if self.whole:
            found = self.network.predict(images, im_shape, scale_factor)
            return found["bbox"], found["bbox_num"]
        raw = self.network.head(self.network.features(images))
        return (*[output.mean() for output in raw], scale_factor.mean())


def shape_scores(network: Any, images: paddle.Tensor, places: int, pairs: int) -> str:
    """Give the last convolutions the wanted spread, then move objectness and classes until the counts are right."""
    head = network.head
    width = 5 + head.num_classes
    with paddle.no_grad():
        for conv, raw in zip(head.outputs, head(network.features(images)), strict=True):
            values = raw.transpose([1, 0, 2, 3]).flatten(1)  # [channels, positions]
            mean, std = values.mean(axis=1), values.std(axis=1).clip(min=1e-6)
            wanted = np.full((conv.weight.shape[0] // width, width), CLASS_STD, np.float32)
            wanted[:, :4], wanted[:, 4] = OFFSET_STD, OBJECTNESS_STD
            factor = paddle.to_tensor(wanted.reshape(-1)) / std
            conv.weight.set_value(conv.weight * factor.reshape([-1, 1, 1, 1]))
            conv.bias.set_value((conv.bias - mean) * factor)
        levels = [_by_place(raw, width).numpy() for raw in head(network.features(images))]
    logits = np.concatenate(levels, axis=1)  # [N, places, 5 + K]
    threshold = head._suppress.score_threshold
    objectness = CONFIDENT - np.quantile(logits[..., 4], 1 - 2 * places / logits.shape[1])  # half of them get a class
    objectness, classes = float(objectness), 0.0
    for _ in range(20):
        classes = _bisect(lambda value: _count(logits, objectness, value, threshold)[1] > pairs)  # noqa: B023
        objectness += 0.5 if _count(logits, objectness, classes, threshold)[0] < places else -0.5
    for conv in head.outputs:
        bias = conv.bias.numpy().reshape(-1, width)
        bias[:, 4] += objectness
        bias[:, 5:] += classes
        conv.bias.set_value(bias.reshape(-1))
    found = _count(logits, objectness, classes, threshold)
    return f"{found[0]:.0f} of {logits.shape[1]} places with {found[1]:.0f} classes above {threshold} per picture"


def _by_place(raw: paddle.Tensor, width: int) -> paddle.Tensor:
    batch, channels, rows, columns = raw.shape
    return (
        raw.reshape([batch, channels // width, width, rows, columns])
        .transpose([0, 1, 3, 4, 2])
        .reshape([batch, -1, width])
    )


def _count(logits: np.ndarray, objectness: float, classes: float, threshold: float) -> tuple[float, float]:
    """Places and pairs of place and class above the threshold, per picture."""
    certain = logits[..., 4] + objectness
    scores = _sigmoid(logits[..., 5:] + classes) * _sigmoid(certain)[..., None]
    above = (scores > threshold) & (certain > CONFIDENT)[..., None]
    return above.any(axis=-1).sum() / len(logits), above.sum() / len(logits)


def _bisect(too_high: Any, low: float = -20.0, high: float = 20.0) -> float:
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if too_high(middle) else (middle, high)
    return (low + high) / 2


def _sigmoid(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-value))


def export(network: Any, size: int, whole: bool, folder: Path) -> Path:
    folder.mkdir()
    specs = [
        paddle.static.InputSpec([None, 3, size, size], "float32", "images"),
        paddle.static.InputSpec([None, 2], "float32", "scale_factor"),
    ]
    layer = Part(network, whole)
    layer.eval()
    save_static(paddle.jit.to_static(layer, input_spec=specs, full_graph=True), specs, str(folder / "inference"))
    return folder


def measure(folders: list[Path], onednn: bool, feeds: list[dict[str, np.ndarray]], rounds: int) -> tuple[float, str]:
    whole, cut = (PaddleInference(folder, onednn=onednn, threads=1) for folder in folders)
    times: dict[str, list[float]] = {"whole": [], "cut": []}
    rows = 0
    for round_number in range(rounds + 1):
        for name, runner in (("whole", whole), ("cut", cut)):
            started = time.process_time()
            outputs = [runner(feed) for feed in feeds]
            if round_number:  # the first round warms both up
                times[name].append((time.process_time() - started) / len(feeds) * 1000)
            if name == "whole":
                rows = sum(len(found["output_0"]) for found in outputs)
    shares = 1 - np.array(times["cut"]) / np.array(times["whole"])
    line = (
        f"whole {np.median(times['whole']):.1f} ms, cut {np.median(times['cut']):.1f} ms, "
        f"{rows / len(feeds):.0f} boxes per picture; share {np.median(shares):.3f} "
        f"(rounds: {' '.join(f'{share:.3f}' for share in shares)})"
    )
    return float(np.median(shares)), line


VARIANTS = {"paddle": False, "paddle_onednn": True}  # name: whether with oneDNN


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="YOLOv3-MobileNetV1")
    parser.add_argument("--size", type=int, default=416)
    parser.add_argument("--places", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=12000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=VARIANTS, help="measure in this process")
    arguments = parser.parse_args()
    if arguments.only:
        sys.exit(0 if run(arguments) <= LIMIT else 1)
    codes = []
    for name in VARIANTS:  # a process for each: oneDNN ends it where it cannot run a graph
        command = [sys.executable, *sys.argv, "--only", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        line = next((line for line in done.stdout.splitlines() if line.startswith(f"{name}: ")), None)
        if line is None:
            reason = next(
                (line for line in done.stderr.splitlines() if "Error:" in line), f"exit code {done.returncode}"
            )
            line = f"{name}: cannot run it ({reason.strip()[:120]})"
        else:
            codes.append(done.returncode)
        click.echo(line)
    sys.exit(max(codes))


def run(arguments: argparse.Namespace) -> float:
    paddle.seed(0)
    network = build_network(arguments.model)
    normalize = next(step for step in default_config(arguments.model).data.eval_transforms if "Normalize" in step)
    transforms = ({"Resize": {"size": [arguments.size] * 2}}, normalize)
    pictures = draw_pictures(2)
    feeds = make_feeds(transforms, pictures, len(pictures)).batches[: len(pictures)]
    counts = "weights as drawn"
    if arguments.pairs:
        together = paddle.to_tensor(np.concatenate([feed["images"] for feed in feeds]))
        counts = shape_scores(network, together, arguments.places, arguments.pairs)
    with tempfile.TemporaryDirectory() as scratch:
        folders = [export(network, arguments.size, whole, Path(scratch) / str(whole)) for whole in (True, False)]
        share, line = measure(folders, VARIANTS[arguments.only], feeds, arguments.rounds)
    click.echo(f"{arguments.only}: {counts}; {line}")
    return share


if __name__ == "__main__":
    main()
