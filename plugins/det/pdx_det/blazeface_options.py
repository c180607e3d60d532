"""What a config may say about the trunks of BlazeFace."""

from __future__ import annotations

from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class BlazeNetOptions:
    act: Literal["relu", "hardswish"] = "relu"  # within the double blocks
    norm: Literal["batch", "frozen"] = "batch"
