"""A trunk that is a stem and a chain of blocks."""

from __future__ import annotations

from collections.abc import Sequence

from pdx_core.paddle_support import require_paddle

require_paddle()

from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import freeze  # noqa: E402
from pdx_backbones.stages import ChainPlan  # noqa: E402


class ChainTrunk(nn.Layer):
    """The outputs of some blocks are its levels; parameters are named `stem...` and `blocks.<index>...`.

    plan:   of `stages.plan_chain`; says which blocks are levels and which parts are fixed
    blocks: one per entry of plan.blocks
    widths: output channels of the blocks; may go on beyond those that are built
    """

    def __init__(self, plan: ChainPlan, stem: nn.Layer, blocks: Sequence[nn.Layer], widths: Sequence[int]) -> None:
        super().__init__()
        self.stem = stem
        self.blocks = nn.LayerList(list(blocks))
        freeze(*plan.frozen_parts(self.stem, self.blocks))
        self._plan = plan
        self.features = plan.features(widths)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """images float32 [N, 3, H, W] -> one tensor per entry of `features`."""
        return self._plan.levels(self.stem(images), self.blocks)
