"""Writes a network as a static graph with everything prediction needs, and proves that it gives the same numbers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pdx_core.errors import WorkFailedError
from pdx_core.files import write_text
from pdx_core.folders import replace_folder
from pdx_core.model_card import CARD_NAME, ModelCard, checksums
from pdx_core.paddle_support import require_paddle, save_static, set_device, used_inputs
from pdx_core.plugins import get_registry
from pdx_core.runtimes.choose import PLAIN, try_all
from pdx_core.runtimes.feeds import make_feeds
from pdx_core.runtimes.trial import Tolerance

require_paddle()

import paddle  # noqa: E402
from paddle import nn  # noqa: E402

if TYPE_CHECKING:
    from pdx_core.config import Resolved
    from pdx_core.train.network import Network

logger = logging.getLogger(__name__)

INPUT_NAMES = ("images", "im_shape", "scale_factor")


class _Exported(nn.Layer):
    """The network with a fixed order of outputs, taking only the inputs it uses."""

    def __init__(self, network: Network, outputs: Sequence[str], inputs: Sequence[str]) -> None:
        super().__init__()
        self.network = network
        self._outputs = tuple(outputs)
        self._inputs = tuple(inputs)

    def forward(self, tensors: list[paddle.Tensor]) -> tuple[paddle.Tensor, ...]:
        given = dict(zip(self._inputs, tensors))  # noqa: B905 - Paddle's translation of zip knows no `strict`
        images = given["images"]
        # An input the network does not look at is replaced by a constant, which the graph then drops
        blank = paddle.ones([1, 2], dtype="float32")
        predictions = self.network.predict(images, given.get("im_shape", blank), given.get("scale_factor", blank))
        return tuple(predictions[name] for name in self._outputs)


def export_network(
    network: Network,
    resolved: Resolved,
    classes: Sequence[str],
    folder: str | Path,
    images: Sequence[str | Path | np.ndarray] = (),
) -> dict[str, Any]:
    """Write `folder`/inference.json (or .pdmodel), .pdiparams and .yml, and compare them with the network.

    network:  in any mode; left in the mode it was in
    classes:  names by class id
    folder:   replaced as a whole once everything in it is complete and checked
    images:   photos to compare on, at least 8 for a meaningful check: paths, or uint8 [H, W, 3] arrays in RGB.
              Without any, drawn pictures stand in
    returns:  {"folder", "images", "drawn", "chosen", "trials": [...]}

    Raises WorkFailedError, leaving `folder` as it was, when the exported model does not give the network's numbers.
    """
    folder = Path(folder)
    config = resolved.config
    training = network.training
    network.eval()
    try:
        feeds = make_feeds(config.data.eval_transforms, images, config.export.parity_images)
        expected = [_run(network, feed) for feed in feeds.batches]
        with replace_folder(folder, _is_exported_file) as scratch:
            save_graph(network, feeds.batches, tuple(expected[0]), scratch, config.export.any_size)
            report = try_all(
                scratch,
                feeds.batches,
                expected,
                device="gpu:0" if paddle.get_device().startswith("gpu") else "cpu",
                tolerance=Tolerance(rtol=config.export.rtol, atol=config.export.atol),
                only_plain=not config.export.try_runtimes,
            )
            _require_parity(report, feeds.images)
            card = ModelCard(
                name=resolved.spec.name,
                task=resolved.spec.task,
                transforms=tuple(config.data.eval_transforms),
                classes=tuple(classes),
                post=_post(resolved),
                outputs=tuple(expected[0]),
                runtimes={**report, "images": feeds.images, "drawn": feeds.drawn},
                files=checksums(scratch),
            )
            write_text(scratch / CARD_NAME, card.dump())
    finally:
        if training:
            network.train()
    return {"folder": str(folder), "images": feeds.images, "drawn": feeds.drawn, **report}


def _is_exported_file(name: str) -> bool:
    return name.startswith("inference.")


def _run(network: Network, feed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    with paddle.no_grad():
        outputs = network.predict(*(paddle.to_tensor(feed[name]) for name in INPUT_NAMES))
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def save_graph(
    network: Network, feeds: Sequence[Mapping[str, np.ndarray]], outputs: Sequence[str], folder: Path, any_size: bool
) -> None:
    """Write `folder`/inference.json (or .pdmodel) and .pdiparams.

    feeds:    inputs it will be given; where all images have one size the graph takes only that one, unless `any_size`
    outputs:  names of the predictions, in the order of the graph's outputs
    """
    shapes = {feed["images"].shape[2:] for feed in feeds}
    height, width = next(iter(shapes)) if len(shapes) == 1 and not any_size else (None, None)
    specs = {
        "images": paddle.static.InputSpec([None, 3, height, width], "float32", "images"),
        "im_shape": paddle.static.InputSpec([None, 2], "float32", "im_shape"),
        "scale_factor": paddle.static.InputSpec([None, 2], "float32", "scale_factor"),
    }
    used = used_inputs(_static(network, outputs, specs), INPUT_NAMES)
    kept = {name: spec for name, spec in specs.items() if name in used}
    save_static(_static(network, outputs, kept), [list(kept.values())], str(folder / "inference"))


def _static(network: Network, outputs: Sequence[str], specs: Mapping[str, Any]) -> nn.Layer:
    layer = _Exported(network, outputs, tuple(specs))
    layer.eval()
    return paddle.jit.to_static(layer, input_spec=[list(specs.values())], full_graph=True)


def _require_parity(report: Mapping[str, Any], images: int) -> None:
    plain = next((trial for trial in report["trials"] if trial["runtime"] == PLAIN), None)
    if plain is None or plain["passed"]:
        return
    if plain["max_error"] is None:
        raise WorkFailedError(f"the exported model cannot be used: {plain['reason']}. Nothing was written")
    raise WorkFailedError(
        f"the exported model does not agree with the network on {images} images: {plain['reason']}. Nothing was "
        "written. If a difference of this size is acceptable, widen it with -o Export.rtol=... and Export.atol=..."
    )


def _post(resolved: Resolved) -> dict[str, Any]:
    registry = get_registry()
    predictor = registry.find("tasks", resolved.spec.task).predictor
    if not predictor:
        return {}
    return registry.find("predictors", predictor).load().published_post(resolved.config)


def export(resolved: Resolved) -> dict[str, Any]:
    """`Global.mode=export`: export the weights of a run, or the published ones; see `export_network`.

    The weights are Export.weight_path ("official" is the published ones), else best_model below Global.output, else
    the published ones. The folder is Export.output, else best_model/inference below Global.output. Photos for the check
    come from the validation split of Global.dataset_dir when that is set.
    """
    from pdx_core.train import run_folder
    from pdx_core.train.assemble import open_splits
    from pdx_core.train.restore import restore
    from pdx_core.train.run import parity_images

    config = resolved.config
    output = Path(config.global_.output)
    weights: str | Path | None = config.export.weight_path
    if weights == "official":
        weights = None
    elif weights is None:
        weights = run_folder.best_weights(output, config.evaluate.use_ema)
    set_device(config.global_.device)
    restored = restore(resolved.spec.name, weights, resolved)
    folder = Path(config.export.output) if config.export.output else output / "best_model" / "inference"
    photos: list[np.ndarray] = []
    if config.global_.dataset_dir:
        photos = parity_images(open_splits(resolved, "val")[0], config.export.parity_images)
    report = export_network(restored.network, restored.resolved, restored.classes, folder, photos)
    return {"weights": str(restored.source), **report}
