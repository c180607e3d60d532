"""What a config may say about the segmentation heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from attrs import validators as v

from pdx_seg import losses_specs

_CHANNELS = v.and_(v.instance_of(int), v.gt(0))
_SHARE = v.and_(v.ge(0), v.lt(1))


@attrs.frozen(kw_only=True)
class SegHeadOptions:
    """What all heads take."""

    losses: tuple[Mapping[str, Any], ...] = attrs.field(  # what is summed up, see losses_specs
        default=losses_specs.DEFAULT, validator=losses_specs.check_terms
    )
    aux_weight: float = attrs.field(default=0.0, validator=v.ge(0))  # of a second classifier, in training; 0: none
    aux_level: int = -2  # the level it works on; -2: the last but one


@attrs.frozen(kw_only=True)
class DeepLabOptions(SegHeadOptions):
    ratios: tuple[int, ...] = attrs.field(default=(1, 6, 12, 18), validator=[v.min_len(1), v.deep_iterable(v.gt(0))])
    channels: int = attrs.field(default=256, validator=_CHANNELS)
    dropout: float = attrs.field(default=0.1, validator=_SHARE)


@attrs.frozen(kw_only=True)
class FCNOptions(SegHeadOptions):
    channels: int | None = attrs.field(default=None, validator=v.optional(_CHANNELS))  # None: as many as all levels


@attrs.frozen(kw_only=True)
class FastSCNNOptions(SegHeadOptions):
    channels: int = attrs.field(default=128, validator=_CHANNELS)
    dropout: float = attrs.field(default=0.1, validator=_SHARE)
    aux_weight: float = attrs.field(default=0.4, validator=v.ge(0))


@attrs.frozen(kw_only=True)
class LRASPPOptions(SegHeadOptions):
    channels: int = attrs.field(default=128, validator=_CHANNELS)
