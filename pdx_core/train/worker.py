"""One process of a training on several devices; started by `launch.py`, which sends the job through stdin."""

from __future__ import annotations

import logging
import os
import pickle
import sys
import threading
from pathlib import Path

from pdx_core.errors import PdxError
from pdx_core.files import write_json
from pdx_core.specs import import_target
from pdx_core.train.launch import rank


def main() -> int:
    report = Path(sys.argv[1])
    # Written by the parent a moment ago through a pipe that nobody else can reach.
    job, resolved, device, options = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.basicConfig(level=logging.INFO if rank() == 0 else logging.WARNING, format="%(message)s")
    try:
        result = import_target(job)(resolved, device, **options)
    except PdxError as error:
        write_json(report, {"error": str(error), "exit_code": error.exit_code})
        return error.exit_code
    write_json(report, {"result": result})
    return 0


def _end_with_parent() -> None:
    """Nobody may train on after the command that started it is gone; its end closes our stdin."""
    while sys.stdin.buffer.read(1):
        pass
    os._exit(1)


if __name__ == "__main__":
    # Threads of gloo may still wait for a process that has died; they must not keep this one.
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
