"""`pdx demo keypoints`: eyes, nose and mouth of drawn faces."""

from __future__ import annotations

from pathlib import Path

from pdx_core.demo import Demo
from pdx_keypoints.layout import LISTS

_SIDE = 64  # of the network input; small, so that a core does with a minute
# x to the right and y down, in radii of an upright face that looks at us: its left eye is on the right
_FACE = {
    "left_eye": (0.42, -0.25),
    "right_eye": (-0.42, -0.25),
    "nose": (0.0, 0.12),
    "left_mouth": (0.35, 0.5),
    "right_mouth": (-0.35, 0.5),
}

DEMO = Demo(
    model="Points-ResNet18",
    draw="pdx_keypoints.demo:draw_dataset",
    goal=("pck", 0.85),
    overrides=(
        f"Data.train_transforms=[RandomHorizontalFlip, {{Resize: {{size: {_SIDE}}}}}, Normalize]",
        f"Data.eval_transforms=[{{Resize: {{size: {_SIDE}}}}}, Normalize]",
        "Model.backbone.out_stages=[0, 1, 2]",  # the last stage would see four cells
        "Evaluate.metric={name: point_errors, threshold: 0.03}",
        "Train.pretrain_weight_path=null",
        "Train.epochs_iters=5",
        "Train.batch_size=8",
        "Train.learning_rate=0.003",
    ),
)


def draw_dataset(folder: Path, train: int = 240, val: int = 40, size: int = 96) -> None:
    """Write a PointsDataset: one face per picture of `size` x `size` pixels, which may be cut off at its edge."""
    import numpy as np

    from pdx_core.files import write_text
    from pdx_core.images import write_image
    from pdx_keypoints.reader import Row, list_text

    for split, count in (("train", train), ("val", val)):
        (folder / split).mkdir(parents=True, exist_ok=True)
        rows = []
        for index in range(count):
            image, xy = _draw_face(np.random.default_rng((0 if split == "train" else 1, index)), size)
            rows.append(Row(f"{split}/{index:03d}.png", _known(xy, size)))
            write_image(folder / rows[-1].image, image)
        write_text(folder / LISTS[split], list_text(tuple(_FACE), rows))


def _known(xy, size):
    """The points; NaN where one lies outside of the picture."""
    import numpy as np

    return np.where(((xy >= 0) & (xy <= size)).all(axis=1, keepdims=True), np.round(xy, 1), np.nan)


def _draw_face(rng, size):
    """A face, turned at random: uint8 [size, size, 3] RGB, and its points, float [5, 2]."""
    import numpy as np

    from pdx_core.opencv import require_cv2

    cv2 = require_cv2()
    blend = cv2.resize(rng.random((4, 4, 1)), (size, size), interpolation=cv2.INTER_CUBIC)[..., None]
    light, dark = rng.uniform(40, 215, (2, 3))
    image = np.clip(light * blend + dark * (1 - blend) + rng.normal(0, 8, (size, size, 1)), 0, 255).astype(np.uint8)
    radius, angle = size * rng.uniform(0.24, 0.36), rng.uniform(-0.7, 0.7)
    centre = rng.uniform(0.1 * size, 0.9 * size, 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    xy = np.array(list(_FACE.values())) @ turn.T * radius + centre

    def ellipse(at, sides, colour):
        box = (tuple(map(float, at)), tuple(map(float, sides)), float(np.degrees(angle)))
        cv2.ellipse(image, box, [float(value) for value in colour], -1, cv2.LINE_AA)

    ellipse(centre, (1.7 * radius, 2.1 * radius), rng.uniform((170, 120, 90), (250, 210, 180)))
    for eye in xy[:2]:
        ellipse(eye, (0.4 * radius, 0.26 * radius), (250, 250, 250))
        ellipse(eye, (0.18 * radius, 0.22 * radius), (30, 40, 60))
    ellipse(xy[2], (0.2 * radius, 0.42 * radius), rng.uniform((130, 80, 60), (160, 100, 80)))
    ellipse((xy[3] + xy[4]) / 2, (0.8 * radius, 0.2 * radius), rng.uniform((150, 20, 30), (200, 60, 70)))
    return image, xy
