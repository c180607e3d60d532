"""The detection demo: find and name the shapes in a picture."""

from __future__ import annotations

from pathlib import Path

from pdx_core.demo import Demo

_SIDE = 96
# Squares and stars, turned at random, are what a small network takes longest to tell from the others.
_DRAWN = ("circle", "triangle", "cross")

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
    import numpy as np

    from pdx_core.demo_scenes import SHAPES, draw_scene
    from pdx_core.files import write_json
    from pdx_core.images import write_image

    for split, count in (("train", train), ("val", val)):
        # a folder for each split: there `pdx demo` looks for pictures it did not train on
        (folder / split).mkdir(parents=True, exist_ok=True)
        images, annotations = [], []
        for index in range(count):
            rng = np.random.default_rng((0 if split == "train" else 1, index))
            labels = [SHAPES.index(name) for name in rng.choice(_DRAWN, rng.integers(1, 4))]
            image, objects = draw_scene(rng, size, size, labels, size_range=(0.34, 0.52))
            name = f"{split}_{index:03d}.png"
            write_image(folder / split / name, image)
            images.append({"id": index + 1, "file_name": name, "width": size, "height": size})
            for item in objects:
                x1, y1, x2, y2 = item.xyxy.tolist()
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": index + 1,
                        "category_id": _DRAWN.index(SHAPES[item.label]) + 1,
                        "bbox": [x1, y1, x2 - x1, y2 - y1],
                        "area": int(item.mask.sum()),
                        "iscrowd": 0,
                    }
                )
        categories = [{"id": number, "name": name} for number, name in enumerate(_DRAWN, 1)]
        content = {"images": images, "annotations": annotations, "categories": categories}
        write_json(folder / "annotations" / f"instance_{split}.json", content, indent=None)
