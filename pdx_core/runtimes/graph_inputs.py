"""What an exported graph says about its inputs; Paddle Inference itself does not tell before it has run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pdx_core.paddle_support import require_paddle, static_mode


def image_size(graph: Path) -> tuple[int, int] | None:
    """Height and width of the only images the graph takes, or None if it takes any, or does not say.

    graph: .json (the form of Paddle 3) or .pdmodel (of Paddle 2)
    """
    shapes = _json_shapes(graph) if graph.suffix == ".json" else _program_shapes(graph)
    for shape in shapes:
        if len(shape) == 4 and shape[1] == 3 and min(shape[2:]) > 0:
            return int(shape[2]), int(shape[3])
    return None


def _json_shapes(graph: Path) -> Iterator[Sequence[int]]:
    """Shapes of the `data` operators: {"#": "1.data", "A": [{"N": "shape", "AT": {"D": [-1, 3, 320, 320]}}, ...]}."""
    tree = json.loads(graph.read_text(encoding="utf-8"))
    for region in tree.get("program", {}).get("regions", ()):
        for block in region.get("blocks", ()):
            for operator in block.get("ops", ()):
                if str(operator.get("#", "")).endswith(".data"):
                    yield _attribute(operator, "shape")


def _attribute(operator: dict[str, Any], name: str) -> Sequence[int]:
    return next((item["AT"]["D"] for item in operator.get("A", ()) if item.get("N") == name), ())


def _program_shapes(graph: Path) -> Iterator[Sequence[int]]:
    paddle = require_paddle()
    with static_mode():  # only there it is allowed to read a program
        block = paddle.static.deserialize_program(graph.read_bytes()).global_block()
    for operator in block.ops:
        if operator.type == "feed":
            yield block.var(operator.output_arg_names[0]).shape
