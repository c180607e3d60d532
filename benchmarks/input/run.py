"""How fast pictures reach the network, against code as it is usually written.

    python benchmarks/input/run.py [FOLDER_WITH_JPEGS]

Prints milliseconds and ratios on one core (a single picture) and on all of them (the loader). Without a folder, 400
pictures of 500 x 375 are drawn. The two sides take turns and the fastest turn of each counts, so that other work on the
machine disturbs the ratio as little as possible.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import cv2
import numpy as np

from pdx_core.data.loader import Loader
from pdx_core.data.sample import Sample
from pdx_core.image_files import walk_images
from pdx_core.images import read_image, write_image
from pdx_core.transforms.build import build
from pdx_core.transforms.normalize import Normalize

MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


class Photos:
    """A reader of plain files."""

    classes = ("photo",)

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Sample:
        image = read_image(self.paths[index])
        return Sample(image=image, label=0, path=str(self.paths[index]), size=image.shape[:2])


def draw_photos(folder: Path, count: int = 400) -> list[Path]:
    """Smooth noise, whose JPEGs are about as large as those of photos."""
    rng = np.random.default_rng(0)
    for index in range(count):
        coarse = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
        write_image(folder / f"{index:04d}.jpg", cv2.resize(coarse, (500, 375), interpolation=cv2.INTER_CUBIC))
    return list(walk_images(folder))


def naive_normalize(image: np.ndarray) -> np.ndarray:
    return ((image.astype("float32") * np.float32(1 / 255) - MEAN) / STD).transpose(2, 0, 1)


def naive_preprocess(path: Path) -> np.ndarray:
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    height, width = image.shape[:2]
    factor = 256 / min(height, width)
    image = cv2.resize(image, (round(width * factor), round(height * factor)))
    y, x = (image.shape[0] - 224) // 2, (image.shape[1] - 224) // 2
    return naive_normalize(image[y : y + 224, x : x + 224])


def compare(
    title: str, usual: Callable[[], object], ours: Callable[[], object], turns: int = 15, calls: int = 20
) -> None:
    """Print milliseconds per call of both and the ratio."""
    usual(), ours()
    fastest = [float("inf"), float("inf")]
    for _ in range(turns):
        for side, work in enumerate((usual, ours)):
            started = time.perf_counter()
            for _ in range(calls):
                work()
            fastest[side] = min(fastest[side], (time.perf_counter() - started) / calls * 1000)
    left, right = fastest
    sys.stdout.write(f"{title:<44} usual {left:9.3f} ms   pdx {right:9.3f} ms   {left / right:5.2f} x\n")


def main() -> None:
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as scratch:
        paths = list(walk_images(Path(sys.argv[1]))) if len(sys.argv) > 1 else draw_photos(Path(scratch))
        normalize = Normalize()
        for side in (224, 640):
            image = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
            planes = np.empty((3, side, side), np.float32)
            compare(
                f"normalise {side} x {side}, one core",
                functools.partial(naive_normalize, image),
                functools.partial(normalize.write, image, planes),
            )
        transforms = build([{"ResizeShort": {"size": 256}}, {"CenterCrop": {"size": 224}}, "Normalize"])
        rng = np.random.default_rng(0)

        def prepare(path: Path) -> None:
            sample = Sample(image=read_image(path))
            for transform in transforms:
                sample = transform(sample, rng)

        compare(
            "read, resize, crop, normalise, one core",
            lambda: [naive_preprocess(path) for path in paths[:20]],
            lambda: [prepare(path) for path in paths[:20]],
            calls=1,
        )

        def usual_batches() -> None:
            for at in range(0, len(paths), 32):
                np.stack([naive_preprocess(path) for path in paths[at : at + 32]])

        with Loader(Photos(paths), transforms, batch_size=32, workers=os.cpu_count() or 2) as loader:
            compare(
                f"{len(paths)} pictures in batches of 32, {os.cpu_count()} cores",
                usual_batches,
                lambda: deque(loader.epoch(0), maxlen=0),
                turns=5,
                calls=1,
            )


if __name__ == "__main__":
    main()
