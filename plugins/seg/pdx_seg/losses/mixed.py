"""The sum of the losses that a head's option `losses` names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle
from pdx_core.specs import import_target

require_paddle()

from paddle import Tensor, nn  # noqa: E402

from pdx_seg.losses_specs import DEFAULT, read_terms  # noqa: E402


class MixedLoss(nn.Layer):
    """Weighted terms by name; entries as `losses_specs.read_terms` takes them."""

    def __init__(self, num_classes: int, entries: Sequence[Any] = DEFAULT) -> None:
        super().__init__()
        try:
            self._terms = read_terms(entries)
        except ValueError as error:
            raise ConfigError(f"Model.head.losses: {error}") from None
        self.parts = nn.LayerList(_build(term.target, num_classes, term.parameters) for term in self._terms)

    def forward(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """logits float32 [N, K, H, W], labels int64 [N, H, W] -> scalars by name, such as `loss_ce`."""
        return {
            term.key: part(logits, labels) * term.weight for term, part in zip(self._terms, self.parts, strict=True)
        }


def _build(target: str, num_classes: int, parameters: Any) -> nn.Layer:
    try:
        return import_target(target)(num_classes, **parameters)
    except (ImportError, TypeError) as error:
        raise ConfigError(f"Model.head.losses: {target} cannot be built with {dict(parameters)}: {error}") from error
