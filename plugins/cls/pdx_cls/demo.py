"""The classification demo: which of five shapes is on the picture."""

from __future__ import annotations

from pathlib import Path

from pdx_core.demo import Demo

_SIDE = 48  # of the network input; small, so that two cores do with a minute

DEMO = Demo(
    model="ResNet18",
    draw="pdx_cls.demo:draw_dataset",
    goal=("val.top1", 0.95),
    overrides=(
        f"Data.train_transforms=[RandomHorizontalFlip, RandomVerticalFlip, {{Resize: {{size: {_SIDE}}}}}, Normalize]",
        f"Data.eval_transforms=[{{Resize: {{size: {_SIDE}}}}}, Normalize]",
        "Model.backbone.out_stages=[0, 1, 2]",  # the last stage would see a single cell
        "Train.pretrain_weight_path=null",
        "Train.epochs_iters=7",
        "Train.batch_size=16",
        "Train.learning_rate=0.003",
        "Train.warmup_steps=1",
        "Train.optimizer.name=adamw",
        "Train.optimizer.weight_decay=0.01",
    ),
)


def draw_dataset(folder: Path, train_per_class: int = 200, val_per_class: int = 20, size: int = 96) -> None:
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
                image, _ = draw_scene(rng, size, size, [label], size_range=(0.6, 0.9))
                write_image(target / f"{shape}_{index:03d}.png", image)
