"""Which levels of a trunk a head works on."""

from __future__ import annotations

from collections.abc import Sequence

from pdx_core.contracts import FeatureSpec
from pdx_core.errors import ConfigError


def detail_level(features: Sequence[FeatureSpec], stride: int, head: str) -> int:
    """The coarsest level of at most `stride` before the last one, else the first.

    head: its name, for the ConfigError about a trunk of a single level
    """
    if len(features) < 2:
        raise ConfigError(
            f"{head} joins a fine level with the last one, but the backbone gives {len(features)}; choose more with "
            "Model.backbone.out_stages, or a head for one level such as DeepLabV3Head"
        )
    fitting = [index for index, level in enumerate(features[:-1]) if level.stride <= stride]
    return fitting[-1] if fitting else 0


def level_at(features: Sequence[FeatureSpec], index: int, option: str) -> int:
    """`index` counted from the front; a negative one counts from the end. Raises ConfigError naming the option."""
    if not -len(features) <= index < len(features):
        raise ConfigError(f"{option} is {index}, but the backbone gives {len(features)} levels")
    return index % len(features)
