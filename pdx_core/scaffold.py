"""`pdx plugin new`: writes a package that installs, passes its own tests and is found by pdx."""

from __future__ import annotations

import importlib.util
import keyword
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from string import Template

from pdx_core import __version__
from pdx_core.errors import PdxError, UnknownNameError, fold_name
from pdx_core.plugins import Registry

_TEMPLATES = Path(__file__).parent / "templates" / "plugin"
# kind of component -> record, in the order in which they stand in plugin.py
KINDS = {
    "backbone": "BackboneSpec",
    "head": "HeadSpec",
    "model": "ModelSpec",
    "reader": "ReaderSpec",
    "metric": "MetricSpec",
    "predictor": "PredictorSpec",
    "runtime": "RuntimeSpec",
    "command": "CommandSpec",
}
_OF_CLASSIFICATION = ("head", "model", "reader", "metric", "predictor")
# kind -> the hook's table of records, and the name that the template gives its record
_RECORD_NAMES = {
    "backbone": ("backbones", "${Name}"),
    "head": ("heads", "${Name}Head"),
    "model": ("models", "${Name}"),
    "reader": ("dataset_readers", "${Name}Dataset"),
    "metric": ("metrics", "${name}_error"),
    "predictor": ("predictors", "${name}"),
    "runtime": ("runtimes", "${name}"),
    "command": ("commands", "${name}"),
}
_PEP508 = re.compile(r"[A-Za-z]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_LONGEST = 50
_PURPOSE = {
    "backbone.py": "the trunk: publishes `features`, returns one tensor per level",
    "head.py": "`forward`, `loss` and `decode`",
    "reader.py": "from files to samples",
    "format.py": "recognises the format and writes a tiny example of it; light",
    "metric.py": "counts, and merges the counts of several processes",
    "predictor.py": "from the network's outputs to results",
    "runtime.py": "runs an exported model",
    "command.py": "a subcommand of `pdx`; light",
}
_USAGE = {
    "backbone": "Under any other head: `pdx train FasterRCNN-ResNet50-FPN --data DIR -o Model.backbone=${Name}`.",
    "model": "`pdx train ${Name} --data DIR` trains it; `pdx config ${Name}` shows everything that can be set.",
    "head": "`pdx train ResNet18 --data DIR -o Model.head=${Name}Head` uses the head.",
    "reader": "`pdx train ResNet18 --data DIR` reads the format; the layout is in `plugin.py`.",
    "metric": "`pdx eval RUN -o Evaluate.metric=${name}_error` uses the metric.",
    "predictor": "Name the predictor in the TaskSpec of a task of your own to use it.",
    "runtime": "`pdx predict RUN photos --runtime ${name}` runs a model with it.",
    "command": "`pdx ${name} --help`.",
}


def new_plugin(name: str, kinds: Sequence[str], parent: Path, registry: Registry) -> list[Path]:
    """Write a plugin package into `parent`/pdx-<name> and return its files.

    name:  such as "tinynet" or "pdx-tinynet"; capitals are kept in the names of components
    kinds: of `KINDS`; a backbone comes with a model for classification where that task is installed

    Raises PdxError for a name that cannot be used, and for a folder that exists: nothing is ever overwritten.
    """
    kinds = [kind for kind in KINDS if kind in kinds]
    if not kinds:
        raise PdxError(f"say what the plugin offers: {', '.join('--' + kind for kind in KINDS)}; any mix will do")
    classification = any(spec.name == "cls" for spec in registry.specs("tasks"))
    needing = [kind for kind in kinds if kind in _OF_CLASSIFICATION]
    if needing and not classification:
        raise PdxError(f"--{needing[0]} writes one for image classification, which needs pdx-cls: pip install pdx-cls")
    if "backbone" in kinds and classification and "model" not in kinds:
        kinds = [kind for kind in KINDS if kind in kinds or kind == "model"]
    words = _words(name, kinds, registry)
    folder = parent / words["distribution"]
    if folder.exists() or folder.is_symlink():
        raise PdxError(f"{folder} exists; choose another name, or another place with --output")
    files = _files(kinds, words)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=f".{folder.name}.") as scratch:
            made = Path(scratch) / folder.name
            for path, text in files.items():
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_text(text, encoding="utf-8", newline="\n")
            made.chmod(0o755)
            if folder.exists():
                raise PdxError(f"{folder} exists; choose another name, or another place with --output")
            shutil.move(made, folder)
    except OSError as error:
        raise PdxError(
            f"cannot write {folder}: {error.strerror or error}; choose another place with --output"
        ) from error
    return [folder / path for path in files]


def _words(name: str, kinds: Sequence[str], registry: Registry) -> dict[str, str]:
    """What the templates call the plugin. Raises PdxError when the name cannot be used."""
    bare = re.sub(r"^pdx[-_.]", "", name, flags=re.IGNORECASE)
    if not _PEP508.fullmatch(bare):
        raise PdxError(
            f"{name!r} is no name for a package: write letters, digits and '-', starting with a letter, such as tinynet"
        )
    if len(bare) > _LONGEST:
        raise PdxError(f"the name has {len(bare)} letters; {_LONGEST} are enough")
    if _WINDOWS.fullmatch(bare):
        raise PdxError(f"{bare!r} cannot be the name of a file on Windows; choose another name")
    parts = [part for part in re.split(r"[-_.]+", bare) if part]
    plugin = "-".join(part.lower() for part in parts)
    title = "".join(part[0].upper() + part[1:] for part in parts)
    words = {
        "plugin": plugin,
        "distribution": f"pdx-{plugin}",
        "package": "pdx_" + plugin.replace("-", "_"),
        "title": title,
        "Name": title,
        "Class": title + "_" if keyword.iskeyword(title) else title,
        "name": plugin.replace("-", "_"),
        "function": plugin.replace("-", "_") + ("_" if keyword.iskeyword(plugin) else ""),
    }
    _require_free(words, kinds, registry)
    return words


def _require_free(words: dict[str, str], kinds: Sequence[str], registry: Registry) -> None:
    """PdxError when the plugin, its package or a component would have a name that is taken."""
    for info in registry.plugins:
        if fold_name(words["plugin"]) == fold_name(info.name) or words["package"] == info.module.partition(".")[0]:
            raise PdxError(f"a plugin named {info.name!r} is installed ({info.distribution}); choose another name")
    if importlib.util.find_spec(words["package"]) is not None:
        raise PdxError(f"a Python package {words['package']!r} is installed; choose another name")
    for kind in kinds:
        table, template = _RECORD_NAMES[kind]
        own = Template(template).substitute(words)
        try:
            found = registry.find_entry(table, own)
        except UnknownNameError:
            found = None
        if kind == "command":
            from pdx_core.cli import COMMANDS

            if own in COMMANDS:
                raise PdxError(f"pdx has a command {own!r} of its own; choose another name")
        if found is not None:
            raise PdxError(f"a {kind} named {found.full_name} exists; choose another name for the plugin")


def _files(kinds: Sequence[str], words: dict[str, str]) -> dict[str, str]:
    """Text by path below the package's folder."""
    package = words["package"]
    needs_cls = any(kind in _OF_CLASSIFICATION for kind in kinds)
    needs_backbones = "model" in kinds and "backbone" not in kinds
    needed = ["pdx-core"] + ["pdx-cls"] * needs_cls + ["pdx-backbones"] * needs_backbones
    major, minor = (int(part) for part in __version__.split(".")[:2])
    version = f">={major}.{minor},<{major}.{minor + 1}" if major == 0 else f">={major}.{minor},<{major + 1}"
    words = {
        **words,
        "dependencies": ", ".join(f'"{distribution}{version}"' for distribution in needed),
        "records": _import_of(sorted(KINDS[kind] for kind in kinds)),
        "backbone": words["Name"] if "backbone" in kinds else "ResNet18",
        "head": f"{words['Name']}Head" if "head" in kinds else "ClsHead",
    }
    modules, hooks = {}, []
    for kind in kinds:
        hooks.append(_fill(_TEMPLATES / kind / "hook.tmpl", words))
        for path in sorted((_TEMPLATES / kind).glob("*.py.tmpl")):
            modules[path.name.removesuffix(".tmpl")] = _fill(path, words)
    words["files"] = "\n".join(f"| `{package}/{name}` | {_PURPOSE[name]} |" for name in modules)
    words["usage"] = "\n\n".join(Template(_USAGE[kind]).substitute(words) for kind in kinds)
    return {
        "pyproject.toml": _fill(_TEMPLATES / "pyproject.toml.tmpl", words),
        "README.md": _fill(_TEMPLATES / "README.md.tmpl", words),
        f"{package}/__init__.py": _fill(_TEMPLATES / "init.py.tmpl", words),
        f"{package}/plugin.py": "\n\n".join([_fill(_TEMPLATES / "plugin.py.tmpl", words), *hooks]),
        **{f"{package}/{name}": text for name, text in modules.items()},
        "tests/test_plugin.py": _fill(_TEMPLATES / "test_plugin.py.tmpl", words),
    }


def _import_of(records: Sequence[str]) -> str:
    line = f"from pdx_core.specs import {', '.join(records)}"
    return line if len(line) <= 88 else "from pdx_core.specs import (\n    " + ",\n    ".join(records) + ",\n)"


def _fill(path: Path, words: dict[str, str]) -> str:
    return Template(path.read_text(encoding="utf-8")).substitute(words)
