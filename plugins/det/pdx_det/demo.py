"""The detection demo: find and name the shapes in a picture."""

from __future__ import annotations

from pathlib import Path

from pdx_core.demo import Demo

_SIDE = 96

DEMO = Demo(
    model="YOLOv3-ResNet34",
    draw="pdx_det.demo:draw_dataset",
    goal=("AP50", 0.8),
    overrides=(
        "Model.backbone={name: ResNet18, out_stages: [1, 2]}",
        "Model.neck={name: FPN, channels: 64, extra: none}",
        "Model.head.anchors=[[20, 20], [24, 24], [28, 28], [32, 32], [37, 37], [43, 43]]",
        f"Data.train_transforms=[RandomHorizontalFlip, RandomVerticalFlip, {{Resize: {{size: {_SIDE}}}}}, Normalize]",
        f"Data.eval_transforms=[{{Resize: {{size: {_SIDE}}}}}, Normalize]",
        "Data.batch_transforms=[]",
        "Train.epochs_iters=18",
        "Train.batch_size=8",
        "Train.optimizer={name: adamw, weight_decay: 0.01}",
        "Train.learning_rate=0.002",
        "Train.warmup_steps=20",
        "Train.eval_interval=6",
        "Train.pretrain_weight_path=null",
    ),
)


def draw_dataset(folder: Path, train: int = 300, val: int = 60, size: int = _SIDE) -> None:
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
            labels = rng.integers(0, len(SHAPES), rng.integers(1, 4)).tolist()
            image, objects = draw_scene(rng, size, size, labels, size_range=(0.22, 0.42))
            name = f"{split}_{index:03d}.png"
            write_image(folder / split / name, image)
            images.append({"id": index + 1, "file_name": name, "width": size, "height": size})
            for item in objects:
                x1, y1, x2, y2 = item.xyxy.tolist()
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": index + 1,
                        "category_id": item.label + 1,
                        "bbox": [x1, y1, x2 - x1, y2 - y1],
                        "area": int(item.mask.sum()),
                        "iscrowd": 0,
                    }
                )
        categories = [{"id": number, "name": name} for number, name in enumerate(SHAPES, 1)]
        content = {"images": images, "annotations": annotations, "categories": categories}
        write_json(folder / "annotations" / f"instance_{split}.json", content, indent=None)
