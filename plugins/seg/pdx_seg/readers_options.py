"""What a config may say about the readers of segmentation datasets."""

from __future__ import annotations

from typing import Any

import attrs
from attrs import validators as v

from pdx_seg.labels import IGNORE
from pdx_seg.remap import MAX_VALUE, check_remap


@attrs.frozen(kw_only=True)
class MaskOptions:
    """How mask files are read. What is not given here is taken from masks.json of the dataset, if there is one."""

    ignore: int | None = attrs.field(
        default=IGNORE,
        validator=v.optional(v.and_(v.ge(0), v.le(MAX_VALUE))),
        metadata={"help": "Value in the masks that is not judged; none where all values are classes."},
    )
    remap: dict[str, Any] = attrs.field(
        factory=dict,
        validator=check_remap,
        metadata={"help": "Classes of values or colours: '{0: 0, 255: 1}', '{1-150: 0-149, 128 0 0: ignore}'."},
    )


@attrs.frozen(kw_only=True)
class PolygonOptions:
    """LabelMe files hold names, not values: there is nothing to be said about them."""
