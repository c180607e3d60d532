"""What `pdx --help`, `pdx models` and the Tab key cost, with 200 plugins installed of which 20 are broken.

    python benchmarks/startup/many_plugins.py [number of plugins] [models of each]

The promise for help is at most 0.5 CPU s and 80 MB, with every broken plugin named, and for the Tab key less than
0.3 CPU s beside the plugins of this repository. Times depend on the machine, so they are also given as multiples of
what Python needs to import click, attrs and pluggy there, which nobody can save; on a busy one the lowest counts.
"""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HEAD = "from pdx_core import hookimpl\nfrom pdx_core.specs import BackboneSpec, HeadSpec, ModelSpec\nPDX_API = 1\n"
HOOK = HEAD + "@hookimpl\ndef pdx_heads():\n"
GOOD = (
    HEAD
    + """
@hookimpl
def pdx_backbones():
    yield BackboneSpec(name="Net{number}", target="nowhere:Net", channels=(8, 16), strides=(4, 8))


@hookimpl
def pdx_models():
    for row in range({models}):
        yield ModelSpec(name=f"Net{number}_x{{row}}", task="cls", backbone="Net{number}", head="ClsHead")
"""
)
# name -> (source, or None for a module that is not there; what pdx has to say about it)
BROKEN: dict[str, tuple[str | bytes | None, str]] = {
    "needs_absent": ("import no_such_package", "loading: ModuleNotFoundError: No module named 'no_such_package'"),
    "exits": ("import sys; sys.exit(7)", "loading: SystemExit: 7"),
    "raises": ("raise ValueError('no licence\\nfound')", "loading: ValueError: no licence found"),
    "own_exception": ("class Own(BaseException): pass\nraise Own('as it likes')", "loading: Own: as it likes"),
    "recursion": ("def deeper(): deeper()\ndeeper()", "loading: RecursionError: maximum recursion depth"),
    "syntax": ("def (", "loading: SyntaxError: invalid syntax"),
    "latin1": ("name = 'é'".encode("latin-1"), "loading: SyntaxError: (unicode error) 'utf-8' codec can't decode"),
    "absent": (None, "loading: ModuleNotFoundError: No module named 'pdx_fake_absent'"),
    "newer": ("PDX_API = 999", "loading: written for hook API 999, this pdx-core speaks 1; upgrade pdx-core"),
    "no_api": ("x = 1", "does not say which hook API it is written for; add PDX_API = 1"),
    "odd_api": ("PDX_API = []", "loading: PDX_API must be a whole number such as 1, got []"),
    "mistyped": (
        HEAD + "@hookimpl\ndef pdx_model(): return []",
        "loading: no hook named 'pdx_model'. Did you mean 'pdx_models'",
    ),
    "unmarked": (HEAD + "def pdx_models(): return []", "loading: pdx_models is not marked as a hook; put @hookimpl"),
    "arguments": (
        HEAD + "@hookimpl\ndef pdx_models(registry): return []",
        "loading: pdx_models must take no argument; it has 'registry'",
    ),
    "wrong_record": (HOOK + "    yield {'name': 'a'}", "pdx_heads: must yield HeadSpec, got {'name': 'a'}"),
    "not_iterable": (HOOK + "    return 3", "pdx_heads: must return an iterable of HeadSpec, got int"),
    "raises_in_hook": (HOOK + "    return 1 / 0", "pdx_heads: ZeroDivisionError: division by zero"),
    "bad_name": (HOOK + "    yield HeadSpec(name='a b', task='t', target='m:o')", "HeadSpec: name must be letters"),
    "bad_target": (HOOK + "    yield HeadSpec(name='a', task='t', target='m')", "target must look like 'package."),
    "bad_field": (HOOK + "    yield HeadSpec(name='a', task='t', target='m:o', colour=1)", "pdx_heads: TypeError: "),
}
REPEATS = 7
# what is measured -> (words behind `pdx`, the line at whose end Tab is pressed)
CASES: dict[str, tuple[list[str], str]] = {
    "--version": (["--version"], ""),
    "--help": (["--help"], ""),
    "models": (["models"], ""),
    "<Tab> a model": ([], "pdx train PP-LCNet"),
    "<Tab> a key": ([], "pdx train PP-LCNet_x1_0 -o Train."),
    "<Tab> an option": (
        [],
        "pdx train PP-LCNet_x1_0 -o Model.backbone.",
    ),  # of the model's trunk, where it is installed
}


def install(folder: Path, count: int = 200, models: int = 2) -> None:
    """Write `count` plugins as pip would leave them, compiled; the last ones are broken."""
    sources: dict[str, str | bytes | None] = {
        f"good{number}": GOOD.format(number=number, models=models) for number in range(count - len(BROKEN))
    }
    sources.update({name: source for name, (source, _) in BROKEN.items()})
    for name, source in sources.items():
        if source is not None:
            text = source.encode() if isinstance(source, str) else source
            (folder / f"pdx_fake_{name}.py").write_bytes(text)
        info = folder / f"pdx_fake_{name}-1.0.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: pdx-fake-{name}\nVersion: 1.0\n\n" + "About it.\n" * 200
        (info / "METADATA").write_text(metadata)
        (info / "entry_points.txt").write_text(f"[pdx.plugins]\n{name} = pdx_fake_{name}\n")
    compileall.compile_dir(folder, quiet=2)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    models = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder), count, models)
        floor = _measure("import attrs, click, importlib.metadata, pluggy", [], "", "")
        _say("importing attrs, click, pluggy", floor, floor)
        for plugins, path in ((0, ""), (count, folder)):
            for name, (words, line) in CASES.items():
                program = "from pdx_core.cli import main; main(prog_name='pdx')"
                _say(f"pdx {name:<16}{plugins:4} extra", _measure(program, words, path, line), floor)


def _measure(program: str, words: list[str], path: str, line: str) -> tuple[float, float, float]:
    """Lowest and median CPU seconds, and largest resident megabytes, of a Python process.

    line: what bash has on its command line when it asks for completions; "" where it does not
    """
    seconds, megabytes = [], []
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = path
    if line:
        environment |= {"_PDX_COMPLETE": "bash_complete", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    for _ in range(REPEATS):
        process = subprocess.Popen(
            [sys.executable, "-c", program, *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{line or words} failed with exit code {process.returncode}")
        seconds.append(usage.ru_utime + usage.ru_stime)
        megabytes.append(usage.ru_maxrss / 1024)
    return min(seconds), sorted(seconds)[REPEATS // 2], max(megabytes)


def _say(what: str, measured: tuple[float, float, float], floor: tuple[float, float, float]) -> None:
    lowest, median, megabytes = measured
    sys.stdout.write(
        f"{what:<32} {median:.3f} CPU s (lowest {lowest:.3f}) = {lowest / floor[0]:4.1f} x the imports, "
        f"{megabytes:3.0f} MB\n"
    )


if __name__ == "__main__":
    main()
