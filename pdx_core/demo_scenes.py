"""Draws the pictures of `pdx demo`: coloured shapes on textured backgrounds, with exact masks.

Every task's demo labels the same scenes in its own way, so that a demo needs no download.
"""

from __future__ import annotations

import attrs
import numpy as np

from pdx_core.opencv import require_cv2

SHAPES: tuple[str, ...] = ("circle", "square", "triangle", "star", "cross")
# Squares and stars, turned at random, are what a small network takes longest to tell from the others.
DISTINCT_SHAPES: tuple[str, ...] = ("circle", "triangle", "cross")


@attrs.frozen
class SceneObject:
    """One drawn shape.

    label: index into SHAPES
    mask:  bool [H, W], the visible pixels
    xyxy:  float32 [4], box around the visible pixels, x2 and y2 exclusive
    """

    label: int
    mask: np.ndarray
    xyxy: np.ndarray


def scene_rng(split: str, index: int) -> np.random.Generator:
    """The random numbers of a picture: the same however many others are drawn, and others for training than for val."""
    return np.random.default_rng((0 if split == "train" else 1, index))


def draw_distinct(
    rng: np.random.Generator, size: int, counts: tuple[int, int], size_range: tuple[float, float]
) -> tuple[np.ndarray, list[SceneObject]]:
    """A square picture of `size` pixels with some DISTINCT_SHAPES.

    counts: fewest and most shapes
    The rest is as in `draw_scene`.
    """
    names = rng.choice(DISTINCT_SHAPES, rng.integers(counts[0], counts[1] + 1))
    return draw_scene(rng, size, size, [SHAPES.index(name) for name in names], size_range)


def draw_scene(
    rng: np.random.Generator, height: int, width: int, labels: list[int], size_range: tuple[float, float] = (0.3, 0.6)
) -> tuple[np.ndarray, list[SceneObject]]:
    """Draw one shape per entry of `labels`, later ones in front.

    size_range: diameter of a shape as a fraction of the shorter side
    returns:    uint8 [H, W, 3] RGB, and the objects of which at least a quarter is visible
    """
    cv2 = require_cv2()
    image = _texture(rng, height, width)
    masks: list[np.ndarray] = []
    for label in labels:
        diameter = float(rng.uniform(*size_range)) * min(height, width)
        centre = rng.uniform(diameter / 2, (width - diameter / 2, height - diameter / 2))
        outline = _outline(SHAPES[label], rng) * (diameter / 2) + centre
        coverage = np.zeros((height, width), dtype=np.uint8)
        cv2.fillPoly(coverage, [np.round(outline * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
        image = _paint(image, coverage, _contrasting_colour(image, coverage, rng), rng)
        masks.append(coverage > 127)
    objects = []
    hidden = np.zeros((height, width), dtype=bool)
    for label, mask in reversed(list(zip(labels, masks, strict=True))):
        visible = mask & ~hidden
        hidden |= mask
        if visible.sum() >= max(1, mask.sum() // 4):
            ys, xs = np.nonzero(visible)
            box = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], dtype=np.float32)
            objects.append(SceneObject(label, visible, box))
    return image, objects[::-1]


def _texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A background of two colours mixed by smooth noise, with grain. uint8 [H, W, 3]."""
    cv2 = require_cv2()
    coarse = rng.random((rng.integers(3, 9), rng.integers(3, 9)), dtype=np.float32)
    blend = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    first, second = rng.uniform(40, 215, (2, 3))
    grain = rng.normal(0, rng.uniform(4, 14), (height, width, 1))
    return np.clip(first * blend + second * (1 - blend) + grain, 0, 255).astype(np.uint8)


def _contrasting_colour(image: np.ndarray, coverage: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A colour that stands out from what the shape will cover. float64 [3]."""
    behind = image[coverage > 0].reshape(-1, 3)
    mean = behind.mean(axis=0) if len(behind) else np.full(3, 127.0)
    candidates = rng.uniform(0, 255, (8, 3))
    return candidates[np.linalg.norm(candidates - mean, axis=1).argmax()]


def _paint(image: np.ndarray, coverage: np.ndarray, colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    grain = rng.normal(0, 6, (*coverage.shape, 1))
    share = coverage[..., None] / 255.0
    return np.clip(image * (1 - share) + (colour + grain) * share, 0, 255).astype(np.uint8)


def _outline(shape: str, rng: np.random.Generator) -> np.ndarray:
    """Corners of a shape that fits the unit circle, turned at random. float64 [points, 2]."""
    if shape == "circle":
        angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)
    if shape == "cross":
        arm = 0.32
        quarter = np.array([(arm, 0.95), (arm, arm), (0.95, arm), (0.95, -arm)])
        corners = np.concatenate([quarter @ _rotation(-np.pi / 2 * turn).T for turn in range(4)])
    else:
        count = {"square": 4, "triangle": 3, "star": 10}[shape]
        angles = np.arange(count) * 2 * np.pi / count
        radii = np.where(np.arange(count) % 2, 0.42, 1.0) if shape == "star" else np.ones(count)
        corners = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, None]
    return corners @ _rotation(rng.uniform(0, 2 * np.pi)).T


def _rotation(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
