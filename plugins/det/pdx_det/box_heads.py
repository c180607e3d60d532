"""What turns the features of a region into a vector that is classified and regressed."""

from __future__ import annotations

from pdx_backbones.layers import ConvNorm
from pdx_core.paddle_support import require_paddle
from pdx_core.plugins import get_registry

require_paddle()

import paddle.nn.functional as F  # noqa: E402
from paddle import ParamAttr, Tensor, nn  # noqa: E402


class FullyConnectedTrunk(nn.Layer):
    """Two fully connected layers of 1024 (Lin et al. 2017), or `convs` 3x3 convolutions with group norm and one layer.

    The second form is that of Wu and He 2018.
    """

    def __init__(self, channels: int, resolution: int, convs: int = 0, width: int = 1024) -> None:
        super().__init__()
        self.out_channels = width
        self.convs = nn.LayerList(ConvNorm(channels, channels, 3, norm="group") for _ in range(convs))
        self.fc6 = nn.Linear(channels * resolution * resolution, width)
        self.fc7 = nn.Linear(width, width) if convs == 0 else None

    def forward(self, regions: Tensor) -> Tensor:
        """[r, C, S, S] -> [r, width]."""
        for conv in self.convs:
            regions = conv(regions)
        vector = F.relu(self.fc6(regions.flatten(1)))
        return vector if self.fc7 is None else F.relu(self.fc7(vector))


class ResidualTrunk(nn.Layer):
    """The last stage of a ResNet on each region, then the mean over its cells (the C4 form of Ren et al. 2015).

    backbone: name of a ResNet record
    """

    def __init__(self, backbone: str) -> None:
        super().__init__()
        spec = get_registry().resolve("backbones", backbone)
        self.stage = spec.load()(**{**spec.arguments, "first_stage": 3, "out_stages": (3,), "norm": "frozen"})
        self.out_channels = self.stage.features[-1].channels

    def maps(self, regions: Tensor) -> Tensor:
        """[r, C, S, S] -> [r, out_channels, S / 2, S / 2]; a mask branch uses them too."""
        return self.stage(regions)[-1]

    def forward(self, regions: Tensor) -> Tensor:
        """[r, C, S, S] -> [r, out_channels]."""
        return F.adaptive_avg_pool2d(self.maps(regions), 1).flatten(1)


class BoxPredictor(nn.Layer):
    """Class scores (background last) and box deltas of each region.

    class_specific: a delta for every class, or one for all
    """

    def __init__(self, channels: int, num_classes: int, class_specific: bool = True) -> None:
        super().__init__()
        self.score = nn.Linear(channels, num_classes + 1, weight_attr=_normal(0.01))
        self.delta = nn.Linear(channels, 4 * (num_classes if class_specific else 1), weight_attr=_normal(0.001))

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """[r, C] -> logits [r, K + 1], deltas [r, 4K] or [r, 4]."""
        return self.score(vectors), self.delta(vectors)


def _normal(std: float) -> ParamAttr:
    return ParamAttr(initializer=nn.initializer.Normal(0.0, std))
