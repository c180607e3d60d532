"""Views of a batch at several scales and mirrored."""

from __future__ import annotations

import numpy as np
import pytest

from pdx_core.errors import ConfigError
from pdx_core.settings import TestTimeConfig
from pdx_core.test_time import views


def batch() -> dict[str, np.ndarray]:
    """Two images of 4 x 6 and 2 x 3 pixels on a canvas of 4 x 6; the value of a pixel is its column."""
    images = np.zeros((2, 3, 4, 6), np.float32)
    images[0] = np.arange(6)
    images[1, :, :2, :3] = np.arange(3)
    return {
        "images": images,
        "im_shape": np.array([[4, 6], [2, 3]], np.float32),
        "scale_factor": np.array([[1, 1], [0.5, 0.5]], np.float32),
    }


def test_without_settings_there_is_the_batch_itself():
    feed = batch()
    (only,) = views(feed, TestTimeConfig())
    assert only.feed is feed
    assert (only.scale, only.mirrored) == (1.0, False)


def test_mirrors_within_each_images_own_width():
    _, mirrored = views(batch(), TestTimeConfig(flip=True))
    assert mirrored.feed["images"][0, 0, 0].tolist() == [5, 4, 3, 2, 1, 0]
    assert mirrored.feed["images"][1, 0, 0].tolist() == [2, 1, 0, 0, 0, 0]  # the padding stays at the right
    assert (mirrored.feed["im_shape"] == batch()["im_shape"]).all()


def test_scales_come_with_their_shapes_and_factors():
    seen = list(views(batch(), TestTimeConfig(scales=(2.0, 1.0), flip=True), multiple=8))
    assert [(view.scale, view.mirrored) for view in seen] == [(1.0, False), (1.0, True), (2.0, False), (2.0, True)]
    double = seen[2].feed
    assert double["images"].shape == (2, 3, 8, 16)  # 8 x 12 rounded up to multiples of 8
    assert double["im_shape"].tolist() == [[8, 12], [4, 6]]
    assert double["scale_factor"].tolist() == [[2, 2], [1, 1]]
    assert double["images"][0, 0, 0, :12].tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4.25, 4.75, 5]
    assert not double["images"][0, 0, :, 12:].any()


def test_odd_scales_are_refused():
    with pytest.raises((ValueError, ConfigError), match="different factors"):
        TestTimeConfig(scales=(0.0,))
    with pytest.raises((ValueError, ConfigError), match=r"\[1.0, 1.0\]"):
        TestTimeConfig(scales=(1.0, 1.0))


def test_a_full_batch_may_be_stretched_instead_of_padded():
    feed = {name: value[:1] for name, value in batch().items()}
    _, double = views(feed, TestTimeConfig(scales=(1.0, 2.0)), multiple=8, stretch=True)
    assert double.feed["images"].shape == (1, 3, 8, 16)  # 8 x 12: 12 is rounded to 16
    assert double.feed["im_shape"].tolist() == [[8, 16]]
    np.testing.assert_allclose(double.feed["scale_factor"], [[2, 16 / 6]])
    _, padded = views(batch(), TestTimeConfig(scales=(1.0, 2.0)), multiple=8, stretch=True)
    assert padded.feed["im_shape"].tolist() == [[8, 12], [4, 6]]  # one image has padding: all keep their shape
