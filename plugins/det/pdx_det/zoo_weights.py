"""The weights that PaddleDetection has released, as the rows of the zoo name them."""

from __future__ import annotations

from pdx_core.specs import Weights

_RELEASE = "https://paddledet.bj.bcebos.com/models/{}.pdparams"


def released(
    file: str | None, *, tag: str = "coco", num_classes: int = 80, source: str = "PaddleDetection model zoo"
) -> tuple[Weights, ...]:
    """The weights of a released file, named without folder and ending; none where there is no file.

    tag: what they were trained on
    """
    if file is None:
        return ()
    return (
        Weights(
            tag=tag,
            url=_RELEASE.format(file),
            num_classes=num_classes,
            dialect="PaddleDetection",
            licence="Apache-2.0",
            source=source,
        ),
    )
