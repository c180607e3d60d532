"""The segmentation demo: which pixels belong to which shape."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pdx_core.demo import Demo

if TYPE_CHECKING:
    import numpy as np

    from pdx_core.demo_scenes import SceneObject

_SIDE = 64

DEMO = Demo(
    model="UNet",
    draw="pdx_seg.demo:draw_dataset",
    goal=("mIoU", 0.85),
    overrides=(
        "Model.backbone={name: ResNet18, out_stages: [0, 1, 2]}",  # UNet's own trunk works at full size: 3 times slower
        "Data.train_transforms=[RandomHorizontalFlip, RandomVerticalFlip, Normalize]",
        "Data.eval_transforms=[Normalize]",
        "Train.unit=epoch",
        "Train.epochs_iters=6",
        "Train.eval_interval=3",
        "Train.save_interval=3",
        "Train.batch_size=16",
        "Train.optimizer={name: adamw, weight_decay: 0.01}",
        "Train.schedule.name=cosine",
        "Train.learning_rate=0.003",
        "Train.warmup_unit=iteration",
        "Train.warmup_steps=20",
        "Train.pretrain_weight_path=null",
    ),
)


def draw_dataset(folder: Path, train: int = 800, val: int = 80, size: int = _SIDE) -> None:
    """Write a SegDataset: pictures of `size` x `size` pixels with one or two shapes side by side, and their masks."""
    import numpy as np

    from pdx_core.demo_scenes import DISTINCT_SHAPES, SHAPES, scene_rng
    from pdx_core.files import write_text
    from pdx_core.images import write_image

    for split, count in (("train", train), ("val", val)):
        # a folder for each split: there `pdx demo` looks for pictures it did not train on
        (folder / split).mkdir(parents=True, exist_ok=True)
        (folder / "masks").mkdir(exist_ok=True)
        lines = []
        for index in range(count):
            image, objects = _scene(scene_rng(split, index), size)
            mask = np.zeros((size, size), np.uint8)
            for item in objects:
                mask[item.mask] = DISTINCT_SHAPES.index(SHAPES[item.label]) + 1
            name = f"{split}_{index:04d}.png"
            write_image(folder / split / name, image)
            write_image(folder / "masks" / name, mask)
            lines.append(f"{split}/{name} masks/{name}\n")
        write_text(folder / f"{split}.txt", "".join(lines))
    write_text(folder / "labels.txt", "".join(f"{name}\n" for name in ("background", *DISTINCT_SHAPES)))


def _scene(rng: np.random.Generator, size: int) -> tuple[np.ndarray, list[SceneObject]]:
    """A picture in which no shape hides another: of a few strokes of a cross nobody can say what it is."""
    from pdx_core.demo_scenes import DISTINCT_SHAPES, SHAPES, draw_scene

    count = 2 if rng.random() < 0.3 else 1
    chosen = [SHAPES.index(DISTINCT_SHAPES[index]) for index in rng.integers(0, len(DISTINCT_SHAPES), count).tolist()]
    while True:
        image, objects = draw_scene(rng, size, size, chosen, size_range=(0.38, 0.55))
        if count == 1 or (len(objects) == 2 and _apart(*(item.xyxy for item in objects))):
            return image, objects


def _apart(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two boxes, x1 y1 x2 y2, share no pixel."""
    return bool((first[:2] >= second[2:]).any() or (second[:2] >= first[2:]).any())
