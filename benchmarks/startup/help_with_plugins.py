"""How much processor time `pdx --help` and `pdx models` cost with 50 plugins of 20 models each installed.

    python benchmarks/startup/help_with_plugins.py [number of plugins]

The plugins are real distribution folders on the path of the measured process. The promise is 0.3 CPU s for help.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

PLUGIN = """
from pdx_core import hookimpl
from pdx_core.specs import BackboneSpec, ModelSpec

PDX_API = 1


@hookimpl
def pdx_backbones():
    yield BackboneSpec(name="Net{number}", target="nowhere:Net", channels=(8, 16), strides=(4, 8))


@hookimpl
def pdx_models():
    for row in range(20):
        yield ModelSpec(name=f"Net{number}_x{{row}}", task="cls", backbone="Net{number}", head="ClsHead")
"""
REPEATS = 7


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory() as folder:
        _install(Path(folder), count)
        for plugins, path in ((0, ""), (count, folder)):
            for command in (["--version"], ["--help"], ["models", "--json"]):
                seconds = sorted(_cpu_seconds(command, path) for _ in range(REPEATS))
                sys.stdout.write(
                    f"pdx {command[0]:<10} {plugins:3} extra plugins: "
                    f"median {seconds[REPEATS // 2]:.3f} CPU s (lowest {seconds[0]:.3f})\n"
                )


def _install(folder: Path, count: int) -> None:
    for number in range(count):
        (folder / f"pdx_fake{number}.py").write_text(PLUGIN.format(number=number))
        info = folder / f"pdx_fake{number}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: pdx-fake{number}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[pdx.plugins]\nfake{number} = pdx_fake{number}\n")


def _cpu_seconds(command: list[str], path: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", "from pdx_core.cli import main; main(prog_name='pdx')", *command],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
