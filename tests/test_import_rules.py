"""Who may import whom, read from the syntax trees; nothing is imported here."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLUGINS = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))
HEAVY = {"numpy", "cv2", "paddle", "matplotlib", "PIL", "pycocotools", "safetensors"}
LIGHT_CORE = [
    *(
        "__init__",
        "builtin",
        "config",
        "config_dump",
        "config_fields",
        "config_foreign",
        "config_merge",
        "config_types",
        "config_values",
    ),
    *(
        "contracts",
        "entry_points",
        "environment",
        "errors",
        "hook_api",
        "hookspecs",
        "plugin_problems",
        "plugin_trace",
        "opencv",
        "paddle_support",
        "plugins",
        "settings",
        "specs",
    ),
    "transforms/names",
]
IMPORT_NAMES = {"opencv-python": "cv2", "pillow": "PIL", "pyyaml": "yaml", "paddlepaddle": "paddle"}


def imports(path: Path, everywhere: bool = True) -> Iterator[tuple[str, int]]:
    """Absolute module names and lines, with those inside functions if `everywhere`; never those for type checkers."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
            continue
        if not everywhere and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not any(alias.name == "*" for alias in node.names), f"{path}:{node.lineno}: star import"
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield node.module or "", node.lineno
            for alias in node.names:  # "from package import module" names the module as well
                yield f"{node.module}.{alias.name}", node.lineno
        pending += ast.iter_child_nodes(node)


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "templates" not in path.parts)


def light_files() -> list[Path]:
    core = [ROOT / "pdx_core" / f"{name}.py" for name in LIGHT_CORE] + sources(ROOT / "pdx_core" / "cli")
    plugin_names = ("plugin.py", "config.py", "__init__.py", "readers_light.py", "options.py", "recipes.py")
    for plugin in PLUGINS:
        for path in sources(plugin):
            if path.name in plugin_names or path.stem.startswith("zoo") or path.stem.endswith(("_specs", "_options")):
                core.append(path)
    return [path for path in core if path.exists()]


def test_light_modules_import_nothing_heavy_at_their_top():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in light_files()
        for name, line in imports(path, everywhere=False)
        if name.split(".")[0] in HEAVY
    ]
    assert found == []


def test_light_modules_of_the_core_exist():
    assert [name for name in LIGHT_CORE if not (ROOT / "pdx_core" / f"{name}.py").exists()] == []


def test_core_never_imports_a_plugin():
    packages = {path.name for plugin in PLUGINS for path in plugin.iterdir() if (path / "__init__.py").exists()}
    assert packages
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sources(ROOT / "pdx_core")
        for name, line in imports(path)
        if name.split(".")[0] in packages
    ]
    assert found == []


BLOCKS = ("pdx_backbones.layers", "pdx_backbones.dialects")
ALLOWED = {
    "pdx_backbones": (),
    "pdx_cls": BLOCKS,
    "pdx_det": BLOCKS,
    "pdx_seg": BLOCKS,
    "pdx_instseg": (*BLOCKS, "pdx_det.api"),
}


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_plugins_meet_only_where_it_is_allowed(plugin):
    own = next(path.name for path in plugin.iterdir() if (path / "__init__.py").exists())
    found = []
    for path in sources(plugin / own):
        for name, line in imports(path):
            package = name.split(".")[0]
            if package not in ALLOWED or package == own or name == package:
                continue  # `from pdx_backbones import layers` names the bare package first
            if not any(f"{name}.".startswith(f"{module}.") for module in ALLOWED[own]):
                found.append(f"{path.relative_to(ROOT)}:{line}: {name}")
    assert found == []


def declared(pyproject: Path) -> tuple[set[str], set[str]]:
    """Import names of the dependencies, and of the optional ones, that a distribution declares."""
    import tomllib  # came with Python 3.11; so do the tests that get here

    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    optional = [item for group in project.get("optional-dependencies", {}).values() for item in group]

    def names(requirements: list[str]) -> set[str]:
        bare = [requirement.split(";")[0].strip().lower() for requirement in requirements]
        words = [
            "".join(letter if letter.isalnum() or letter in "-_" else " " for letter in item).split()[0]
            for item in bare
        ]
        return {IMPORT_NAMES.get(word, word.replace("-", "_")) for word in words}

    return names(project["dependencies"]), names(optional)


# Used only inside functions when they happen to be installed; `pdx doctor` lists them.
OPTIONAL_PARTS = {"visualdl", "onnxruntime", "openvino", "paddle2onnx", "faster_coco_eval"}
# What the plugin of a distribution gets through pdx-core, which it needs in any case.
THROUGH_CORE = {"attrs": "attr", "numpy": "numpy"}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
@pytest.mark.parametrize("folder", [ROOT, *PLUGINS], ids=lambda path: path.name if path != ROOT else "core")
def test_every_import_is_declared(folder):
    needed, optional = declared(folder / "pyproject.toml")
    package = ROOT / "pdx_core" if folder == ROOT else next(p for p in folder.iterdir() if (p / "__init__.py").exists())
    if folder != ROOT:
        core_needed, core_optional = declared(ROOT / "pyproject.toml")
        needed, optional = needed | core_needed, optional | core_optional
    known = {*sys.stdlib_module_names, *needed, *optional, *OPTIONAL_PARTS, package.name}
    found = {
        name.split(".")[0]: f"{path.relative_to(ROOT)}:{line}"
        for path in sources(package)
        for name, line in imports(path)
    }
    assert {name: place for name, place in found.items() if name not in known} == {}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_dependencies_are_ranges_and_setuptools_comes_along():
    import tomllib

    for pyproject in [ROOT / "pyproject.toml", *(plugin / "pyproject.toml" for plugin in PLUGINS)]:
        project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
        assert [item for item in project["dependencies"] if "==" in item or ">=" not in item] == []
    needed, _ = declared(ROOT / "pyproject.toml")
    assert "setuptools" in needed  # `import paddle` fails without it
