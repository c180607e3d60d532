"""What a config may say about the head; light, so that a wrong option is refused before paddle is imported."""

from __future__ import annotations

from typing import Literal

import attrs
from attrs import validators as v


@attrs.frozen(kw_only=True)
class SqueezeNetHeadOptions:
    dropout: float = attrs.field(default=0.5, validator=v.and_(v.ge(0), v.lt(1)))
    dropout_mode: Literal["downscale_in_infer", "upscale_in_train"] = "downscale_in_infer"
