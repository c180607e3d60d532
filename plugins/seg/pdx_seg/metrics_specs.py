"""What a config may say about the metric of segmentation."""

from __future__ import annotations

from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class MeanIouOptions:
    absent: Literal["skip", "zero"] = "skip"  # classes in neither truth nor prediction; PaddleSeg counts them as zero
