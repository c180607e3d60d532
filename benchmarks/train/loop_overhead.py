"""What does the training loop cost on top of a bare hand-written Paddle loop?

    python benchmarks/train/loop_overhead.py [MODEL] [--batch-size 8] [--steps 20] [--rounds 4]

Both train the same network with the same optimiser on batches that are already in memory, in turns, so that other
work on the machine hits both alike. Prints images per second of each and the ratio; the aim is 0.95 or more. The ratio
of the processor time is steadier on a busy machine. The bare loop reads the loss once per step, as tutorials do.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from pdx_core.config import resolve
from pdx_core.data.batch import Batch
from pdx_core.data.sample import Sample
from pdx_core.paddle_support import require_paddle
from pdx_core.train.interrupts import StopRequest
from pdx_core.train.logs import RunLog
from pdx_core.train.loop import Training
from pdx_core.train.network import build_network
from pdx_core.train.optim import build_optimizer
from pdx_core.train.schedule import build_schedule
from pdx_core.train.state import TrainState
from pdx_core.train.step import Stepper

paddle = require_paddle()


class MemoryLoader:
    """One batch, over and over."""

    def __init__(self, batch: Batch, length: int) -> None:
        self.batch, self.length = batch, length

    def __len__(self) -> int:
        return self.length

    def epoch(self, index: int, start: int = 0):
        for _ in range(start, self.length):
            yield self.batch


def make_batch(size: int, height: int, width: int, classes: int) -> Batch:
    rng = np.random.default_rng(0)
    return Batch(
        images=rng.standard_normal((size, 3, height, width), dtype=np.float32),
        samples=[Sample(image=None, id=index) for index in range(size)],
        im_shape=np.full((size, 2), (height, width), np.float32),
        scale_factor=np.ones((size, 2), np.float32),
        targets={"label": rng.integers(0, classes, size)},
    )


def clocks() -> np.ndarray:
    """Seconds of the wall clock and of the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def bare(network, batch: Batch, steps: int, config) -> np.ndarray:
    """Seconds of a loop as a tutorial writes it."""
    optimizer = paddle.optimizer.Momentum(
        learning_rate=1e-4,
        momentum=0.9,
        parameters=network.parameters(),
        weight_decay=config.train.optimizer.weight_decay,
    )
    network.train()
    started = clocks()
    for _ in range(steps):
        losses = network.loss(
            paddle.to_tensor(batch.images), {name: paddle.to_tensor(value) for name, value in batch.targets.items()}
        )
        total = sum(losses.values())
        total.backward()
        optimizer.step()
        optimizer.clear_grad()
        float(total)
    return clocks() - started


def ours(network, batch: Batch, steps: int, resolved, folder: Path) -> np.ndarray:
    """Seconds of the loop of pdx with its log, without evaluation and saving."""
    config = resolved.config
    config.train.unit, config.train.epochs_iters = "iteration", steps + 1
    config.train.learning_rate = 1e-4
    config.train.eval_interval = config.train.save_interval = 10**9
    schedule, _ = build_schedule(config.train, steps)
    optimizer = build_optimizer(network, config.train.optimizer, 1e-4)
    with RunLog(folder, steps) as log:
        training = Training(
            folder=folder, model_name=resolved.spec.name, config=config.train, seed=0, network=network,
            optimizer=optimizer, schedule=schedule, stepper=Stepper(network, optimizer, config.train.amp, None, "cpu"),
            ema=None, loader=MemoryLoader(batch, steps), evaluate=lambda stop: {}, metric_key="", higher_is_better=True,
            state=TrainState(), log=log, stop=StopRequest(),
        )  # fmt: skip
        network.train()
        started = clocks()
        training._epoch()
        return clocks() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default="MobileNetV3_small_x1_0")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=4)
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    resolved = resolve(arguments.model)
    classes = resolved.spec.num_classes or 10
    batch = make_batch(arguments.batch_size, *resolved.spec.input_size, classes)
    network = build_network(arguments.model, classes)
    with tempfile.TemporaryDirectory() as folder:
        bare(network, batch, 3, resolved.config)
        times: dict[str, list[np.ndarray]] = {"bare": [], "pdx": []}
        for _ in range(arguments.rounds):
            times["bare"].append(bare(network, batch, arguments.steps, resolved.config))
            times["pdx"].append(ours(network, batch, arguments.steps, resolved, Path(folder)))
    images = arguments.batch_size * arguments.steps
    for name, seconds in times.items():
        sys.stdout.write(f"{name:<5} {images / statistics.median(wall for wall, _ in seconds):8.2f} images/s\n")
    ratios = np.array(times["bare"]) / np.array(times["pdx"])
    for label, column in zip(("wall clock", "processor"), ratios.T, strict=True):
        rounds = ", ".join(f"{ratio:.3f}" for ratio in column)
        sys.stdout.write(f"ratio {np.median(column):.3f} by {label} (rounds: {rounds})\n")


if __name__ == "__main__":
    main()
