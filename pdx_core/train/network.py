"""Backbone, neck and head put together into one network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pdx_core.errors import ConfigError, PluginError
from pdx_core.paddle_support import require_paddle
from pdx_core.plugins import get_registry
from pdx_core.settings import Component, ModelConfig

require_paddle()

from paddle import nn  # noqa: E402

if TYPE_CHECKING:
    from paddle import Tensor

    from pdx_core.specs import ModelSpec


class Network(nn.Layer):
    """A model in the grammar backbone -> (neck) -> head.

    `net(images)` gives the head's raw outputs: logits [N, K] for cls, [N, K, H, W] for seg.
    `net(images, im_shape, scale_factor)` gives the decoded predictions, boxes in original pixels.

    images:       float32 [N, 3, H, W], normalised
    im_shape:     float32 [N, 2], height and width of each image without padding
    scale_factor: float32 [N, 2], y and x, network input / original
    """

    def __init__(self, backbone: nn.Layer, head: nn.Layer, neck: nn.Layer | None = None) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck
        self.head = head

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        """The levels the head works on, fine to coarse."""
        levels = self.backbone(images)
        return levels if self.neck is None else self.neck(levels)

    def forward(self, images: Tensor, im_shape: Tensor | None = None, scale_factor: Tensor | None = None) -> Any:
        image_info = {"images": images}
        if im_shape is None:
            return self.head(self.features(images), image_info)
        image_info |= {"im_shape": im_shape, "scale_factor": scale_factor}
        return self.head.decode(self.head(self.features(images), image_info), image_info)

    def predict(self, images: Tensor, im_shape: Tensor, scale_factor: Tensor) -> dict[str, Tensor]:
        """Decoded predictions of any task, as named tensors; what is exported and evaluated."""
        return self.forward(images, im_shape, scale_factor)

    def loss(self, images: Tensor, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Named scalar losses of a training batch."""
        return self.head.loss(self.features(images), {**targets, "images": images})


def build_network(name: str, num_classes: int | None = None, model: ModelConfig | None = None) -> Network:
    """Build the network of a model in evaluation mode, with random parameters.

    name:        of a ModelSpec
    num_classes: default: that of the published weights
    model:       components that replace the record's (from a RunConfig)

    Raises UnknownNameError for a name nobody offers and ConfigError for options that do not fit.
    """
    from pdx_core.config import default_config

    spec: ModelSpec = get_registry().find("models", name)
    if model is None:
        model = default_config(name).model
    count = num_classes if num_classes is not None else spec.num_classes
    if count is None:
        raise ConfigError(f"{name}: the number of classes is not known; give num_classes")
    net = spec.load()(**build_components(model, count, name))
    net.eval()
    return net


def build_components(model: ModelConfig, num_classes: int, name: str) -> dict[str, nn.Layer | None]:
    """Backbone, neck and head of a model, each built on the features that the one before publishes."""
    if model.backbone is None or model.head is None:
        raise ConfigError(f"{name}: the model needs Model.backbone and Model.head")
    backbone = _build("backbones", model.backbone)
    features = backbone.features
    neck = None
    if model.neck is not None:
        neck = _build("necks", model.neck, features)
        features = neck.features
    head = _build("heads", model.head, features, num_classes)
    return {"backbone": backbone, "neck": neck, "head": head}


def without_statistics(layer: nn.Layer) -> dict[str, Tensor]:
    """The parameters by name. What norms have seen is left out, which Paddle counts as parameters without gradient."""
    statistics = ("_mean", "_variance")
    return {name: item for name, item in layer.named_parameters() if name.rpartition(".")[2] not in statistics}


def growth_per_class(network: Network, model: ModelConfig, num_classes: int) -> dict[str, tuple[int, ...]]:
    """By how much each axis of a tensor grows with every class: the head's tensors that depend on their number.

    Told by building the head once more for one class more, so that no head has to say it.
    """
    features = (network.neck or network.backbone).features
    other = _build("heads", model.head, features, num_classes + 1).state_dict()
    growth = {}
    for name, tensor in network.head.state_dict().items():
        if name in other and list(other[name].shape) != list(tensor.shape):
            pairs = zip(other[name].shape, tensor.shape, strict=True)
            growth[f"head.{name}"] = tuple(more - now for more, now in pairs)
    return growth


def _build(kind: str, component: Component, *positional: Any) -> nn.Layer:
    spec = get_registry().resolve(kind, component.name)
    target = spec.load()
    try:
        layer = target(*positional, **{**spec.arguments, **component.options})
    except TypeError as error:
        raise ConfigError(
            f"{kind[:-1]} {component.name!r} cannot be built with {component.options}: {error}"
        ) from error
    if kind != "heads" and not getattr(layer, "features", None):
        raise PluginError(f"{kind[:-1]} {component.name!r} ({spec.target}) publishes no `features`")
    return layer
