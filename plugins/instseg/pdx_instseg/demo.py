"""The demo of instance segmentation: find, name and outline shapes that overlap."""

from __future__ import annotations

from pathlib import Path

from pdx_core.demo import Demo

_SIDE = 96

DEMO = Demo(
    model="MaskRCNN-ResNet50-FPN",
    draw="pdx_instseg.demo:draw_dataset",
    goal=("AP50", 0.6),
    overrides=(
        "Model.backbone={name: ResNet18_vd, out_stages: [0, 1]}",
        "Model.neck={name: FPN, channels: 64, extra: none}",
        "Model.head.anchor_sizes=[[24], [36]]",
        "Model.head.roi_levels=1",
        "Model.head.rpn_pre_nms=[300, 200]",
        "Model.head.rpn_post_nms=[100, 50]",
        "Model.head.samples=32",
        "Model.head.mask_convs=2",
        "Model.head.mask_channels=64",
        "Data.train_transforms=[RandomHorizontalFlip, RandomVerticalFlip, Normalize]",
        "Data.eval_transforms=[Normalize]",
        "Train.epochs_iters=12",
        "Train.batch_size=8",
        "Train.optimizer={name: adamw, weight_decay: 0.01}",
        "Train.learning_rate=0.001",
        "Train.schedule={name: cosine}",
        "Train.warmup_steps=20",
        "Train.eval_interval=4",
        "Train.save_interval=4",
        "Train.pretrain_weight_path=null",
    ),
)


def draw_dataset(folder: Path, train: int = 300, val: int = 60, size: int = _SIDE) -> None:
    """Write a COCOInstSegDataset: pictures of `size` x `size` pixels with two to four shapes, masks as run lengths."""
    import numpy as np

    from pdx_core.demo_scenes import SHAPES, draw_scene
    from pdx_core.files import write_json
    from pdx_core.images import write_image
    from pdx_instseg.run_lengths import RunLengths

    for split, count in (("train", train), ("val", val)):
        # a folder for each split: there `pdx demo` looks for pictures it did not train on
        images, annotations = [], []
        for index in range(count):
            rng = np.random.default_rng((0 if split == "train" else 1, index))
            labels = rng.integers(0, len(SHAPES), rng.integers(2, 5)).tolist()
            image, objects = draw_scene(rng, size, size, labels, size_range=(0.24, 0.44))
            name = f"{split}_{index:03d}.png"
            write_image(folder / split / name, image)
            images.append({"id": index + 1, "file_name": name, "width": size, "height": size})
            for item in objects:
                x1, y1, x2, y2 = item.xyxy.tolist()
                mask = RunLengths.of_bitmap(item.mask)
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": index + 1,
                        "category_id": item.label + 1,
                        "bbox": [x1, y1, x2 - x1, y2 - y1],
                        "area": mask.area,
                        "segmentation": mask.json,
                        "iscrowd": 0,
                    }
                )
        categories = [{"id": number, "name": name} for number, name in enumerate(SHAPES, 1)]
        content = {"images": images, "annotations": annotations, "categories": categories}
        write_json(folder / "annotations" / f"instance_{split}.json", content, indent=None)
