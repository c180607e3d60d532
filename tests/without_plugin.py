"""Runs the tests as if the folder of one plugin had been deleted; nothing is deleted or installed.

    python tests/without_plugin.py det [tests] [arguments of pytest]

The environment of this Python is mirrored by links into a temporary one that lacks the plugin's package. Its metadata
stays, as it does when somebody deletes the folder of an editable installation; `--uninstalled` as the first word takes
that away too. Processes that the tests start see the same environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path


def main(words: list[str]) -> int:
    uninstalled = words[:1] == ["--uninstalled"]
    plugin, *arguments = words[uninstalled:]
    with tempfile.TemporaryDirectory() as folder:
        python = mirror(Path(folder) / "environment", f"pdx_{plugin}", uninstalled)
        root = Path(__file__).parents[1]
        sys.stderr.write(f"without plugins/{plugin}\n")
        # the path of the source tree is that of the editable installations; the current folder adds nothing to it
        return subprocess.run([python, "-m", "pytest", *(arguments or ["tests"])], cwd=root, check=False).returncode


def mirror(folder: Path, package: str, uninstalled: bool) -> Path:
    """A virtual environment with everything that is installed here, but without `package`; its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        name = path.name
        is_metadata = name.endswith(".dist-info")
        if name == package or (package in name and not is_metadata) or (uninstalled and name.startswith(f"{package}-")):
            continue  # the package itself, or what leads to its folder
        (site / name).symlink_to(path)
    scripts, here = folder / "bin", Path(sys.executable).parent
    if (here / "pdx").exists():
        text = (here / "pdx").read_text(encoding="utf-8").splitlines()
        (scripts / "pdx").write_text("\n".join([f"#!{scripts / 'python'}", *text[1:]]) + "\n", encoding="utf-8")
        shutil.copymode(here / "pdx", scripts / "pdx")
    os.environ["PATH"] = os.pathsep.join([str(scripts), os.environ.get("PATH", "")])
    return scripts / "python"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
