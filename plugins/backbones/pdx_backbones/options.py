"""The options that every backbone takes; families with more of them extend this class."""

from __future__ import annotations

from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class BackboneOptions:
    """Types what a config may say beside a backbone's name."""

    out_stages: tuple[int, ...] = (0, 1, 2, 3)  # levels that forward returns; stages after the last are not built
    output_stride: int = 32  # 8 or 16: later strides become dilations
    norm: Literal["batch", "frozen", "group"] = "batch"
    freeze_stages: int = 0  # 1: stem fixed, 2: stem and first stage ...; their batch norm is frozen too
