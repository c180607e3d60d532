"""What pdx-instseg offers: instance segmentation with mask heads and their zoo."""

from __future__ import annotations

from pdx_core import hookimpl
from pdx_core.specs import TaskSpec
from pdx_instseg import mask_rcnn_specs, zoo_mask_rcnn

PDX_API = 1


@hookimpl
def pdx_tasks():
    yield TaskSpec(
        name="instseg",
        title="instance segmentation",
        summary="A box, a class, a score and a mask for each object.",
        dataset_type="COCOInstSegDataset",
        reader="COCOInstSegDataset",
        target="pdx_instseg.task:InstSegTask",
        metric="coco_mask",
    )


@hookimpl
def pdx_heads():
    yield from mask_rcnn_specs.HEADS


@hookimpl
def pdx_models():
    yield from zoo_mask_rcnn.SPECS
