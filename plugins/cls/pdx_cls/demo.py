"""The classification demo: which of five shapes is on the picture."""

from __future__ import annotations

from pathlib import Path

from pdx_core.demo import Demo

DEMO = Demo(
    model="ResNet18",
    draw="pdx_cls.demo:draw_dataset",
    goal=("val.top1", 0.95),
    overrides=(
        "Data.train_transforms=[{RandomResizedCrop: {size: 64, scale: [0.6, 1.0]}}, RandomHorizontalFlip, Normalize]",
        "Data.eval_transforms=[{Resize: {size: [64, 64]}}, Normalize]",
        "Train.epochs_iters=8",
        "Train.batch_size=32",
        "Train.learning_rate=0.05",
        "Train.warmup_steps=1",
        "Train.pretrain_weight_path=null",
    ),
)


def draw_dataset(folder: Path, train_per_class: int = 80, val_per_class: int = 20, size: int = 72) -> None:
    """Write `train/<shape>/*.png` and `val/<shape>/*.png`: one shape per picture of `size` x `size` pixels."""
    import numpy as np

    from pdx_core.demo_scenes import SHAPES, draw_scene
    from pdx_core.images import write_image

    for split, count in (("train", train_per_class), ("val", val_per_class)):
        for label, shape in enumerate(SHAPES):
            target = folder / split / shape
            target.mkdir(parents=True, exist_ok=True)
            for index in range(count):
                rng = np.random.default_rng((0 if split == "train" else 1, label, index))
                image, _ = draw_scene(rng, size, size, [label], size_range=(0.4, 0.8))
                write_image(target / f"{shape}_{index:03d}.png", image)
