"""Trains a toy model in a process of its own: `python train_toy.py DATA OUTPUT [-o text ...]`; for tests that kill it.

The export and the curves are left out: they take longer than the training.
"""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "toy_plugin"))

from pdx_core.config import resolve
from pdx_core.errors import PdxError
from pdx_core.train import logs, session
from pdx_core.train.run import train


def main(data, output, *overrides):
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    session._export = lambda *arguments: None
    logs.draw_curves = lambda *arguments: None
    flags = {"Global.dataset_dir": data, "Global.output": output, "Global.device": "cpu"}
    try:
        train(resolve("toy_full", flags=flags, overrides=overrides))
    except PdxError as error:
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
