"""The detection demo: find and name the shapes in a picture."""

from __future__ import annotations

from pathlib import Path

from pdx_core.demo import Demo

_SIDE = 96

# The shapes are of similar size, so one level is enough. SSD trains on every prior that overlaps a shape well, YOLOv3
# on one of them: in the same time that makes AP50 0.89 instead of 0.70.
DEMO = Demo(
    model="SSD300-ResNet34",
    draw="pdx_det.demo:draw_dataset",
    goal=("AP50", 0.8),
    overrides=(
        "Model.backbone={name: ResNet18, out_stages: [1]}",
        "Model.neck=null",
        "Model.head={min_sizes: [[26, 32, 38, 45]], max_sizes: [], ratios: [], steps: []}",
        f"Data.train_transforms=[RandomHorizontalFlip, RandomVerticalFlip, {{Resize: {{size: {_SIDE}}}}}, Normalize]",
        f"Data.eval_transforms=[{{Resize: {{size: {_SIDE}}}}}, Normalize]",
        "Data.batch_transforms=[]",
        "Train.epochs_iters=6",
        "Train.batch_size=8",
        "Train.optimizer={name: adamw, weight_decay: 0.01, no_decay: [norm]}",
        "Train.learning_rate=0.003",
        "Train.warmup_steps=20",
        "Train.eval_interval=2",
        "Train.save_interval=3",
        "Train.pretrain_weight_path=null",
    ),
)


def draw_dataset(folder: Path, train: int = 800, val: int = 60, size: int = _SIDE) -> None:
    """Write a COCODetDataset: pictures of `size` x `size` pixels with one to three shapes each."""
    from pdx_core.demo_scenes import draw_distinct
    from pdx_det.drawn_coco import write_drawn_coco

    write_drawn_coco(folder, lambda rng: draw_distinct(rng, size, (1, 3), (0.34, 0.52)), train=train, val=val)
