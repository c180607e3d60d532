"""The documentation mentions what there is, and what it shows can be typed."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from pathlib import Path

import attrs
import click
import pytest

from pdx_core.cli import COMMANDS, main
from pdx_core.config_foreign import IGNORED_KEYS
from pdx_core.config_merge import all_keys
from pdx_core.environment import VARIABLES
from pdx_core.specs import HOOK_RECORDS, Spec, import_target

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_list(name):
    section = re.search(rf"^## pdx {name}\b.*?(?=^## |\Z)", text_of("docs/cli.md"), re.MULTILINE | re.DOTALL)
    assert section, f"pdx {name} is missing from docs/cli.md; run `make docs`"
    for parameter in import_target(COMMANDS[name][0]).params:
        if isinstance(parameter, click.Option):
            missing = [spelling for spelling in parameter.opts if f"`{spelling}`" not in section[0]]
            assert missing == [], "run `make docs`"


def script(name: str):
    """One of the scripts that write pages."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_list_of_commands_is_up_to_date():
    assert text_of("docs/cli.md") == script("make_cli").page(), "run `make docs`"


def test_reference_for_plugin_authors_is_complete_and_up_to_date():
    """Every hook, field of a record, method of a contract, command and option is explained in the source."""
    module = script("make_reference")
    assert module.undocumented() == []
    text = text_of("docs/plugins/reference.md")
    assert text == module.page(), "run `make docs`"
    for hook, record in HOOK_RECORDS.items():
        assert f"### {hook}\n" in text and f"### {record.__name__}\n" in text
        assert [field.name for field in attrs.fields(record) if f"| `{field.name}` |" not in text] == []
    assert [name for name in COMMANDS if f"| `pdx {name}` |" not in text] == []


@attrs.frozen(kw_only=True)
class ExampleSpec(Spec):
    """A record as somebody may add one."""

    depth: int = attrs.field(default=3, validator=lambda *_: None)  # beside
    # above, on
    # two lines
    width: tuple[int, ...] = ()
    forgotten: str | None = None


def test_reference_notices_what_is_not_explained(monkeypatch):
    module = script("make_reference")
    assert list(module._fields(ExampleSpec)) == [
        ("depth", "int", "3", "beside"),
        ("width", "tuple[int, ...]", "()", "above, on two lines"),
        ("forgotten", "str | None", "None", ""),
    ]
    monkeypatch.setattr(module, "_record_classes", lambda: [ExampleSpec])
    assert module.undocumented() == ["ExampleSpec.forgotten"]


def test_every_environment_variable_is_explained():
    used = set()
    for folder in ("pdx_core", "plugins"):
        for path in (ROOT / folder).rglob("*.py"):
            if "templates" not in path.parts:
                used |= set(re.findall(r"""["'](PDX_[A-Z_]+)["']""", path.read_text(encoding="utf-8")))
    assert used - {"PDX_API"} == set(VARIABLES)


def test_every_key_is_explained():
    """Each leaf appears in docs/config.md as `section.key` or, under the heading of its section, as `key`."""
    text = text_of("docs/config.md")
    sections = {}
    for heading, body in re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL):
        for section in re.split(r",\s*", heading):
            sections[section] = body
    keys = all_keys()
    leaves = [key for key in keys if not any(other.startswith(f"{key}.") for other in keys)]
    missing = []
    for leaf in leaves:
        section, _, key = leaf.partition(".")
        body = sections.get(section, "")
        if f"`{key}`" not in body and f"`{leaf}`" not in body:
            missing.append(leaf)
    assert missing == []


def test_ignored_keys_are_no_keys_of_ours():
    assert sorted(set(IGNORED_KEYS) & set(all_keys())) == []


def shown_commands() -> list[tuple[str, str]]:
    """Every line of the pages that starts with `pdx`, with its continuation lines."""
    found = []
    for page in PAGES:
        text = re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8"))
        for line in text.splitlines():
            line = line.strip()
            if re.match(r"pdx [a-z]", line) and "..." not in line and page.name != "cli.md":
                found.append((page.name, re.sub(r"\s+(#|>) .*", "", line)))
    return found


def marked(page: str, line: str):
    """A line of a page about one task may show options that its readers bring."""
    plugin = {"detection.md": "det", "segmentation.md": "seg", "instance_segmentation.md": "instseg"}.get(page)
    return pytest.param(page, line, marks=[pytest.mark.needs_plugins(plugin)] if plugin else [])


@pytest.mark.parametrize(("page", "line"), [marked(*shown) for shown in shown_commands()])
def test_shown_command_lines_are_understood(page, line):
    words = shlex.split(line)[1:]
    command = main.get_command(click.Context(main), words[0])
    assert command is not None, f"{page}: {line}"
    command.make_context(words[0], words[1:])  # raises for unknown options


def test_python_blocks_of_the_readme_parse():
    blocks = re.findall(r"```python\n(.*?)```", text_of("README.md"), re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        ast.parse(block)


def test_every_hook_is_explained_with_an_example():
    import pdx_core.hookspecs as hookspecs

    for name in HOOK_RECORDS:
        assert "@hookimpl" in getattr(hookspecs, name).__doc__
        assert f"def {name}():" in getattr(hookspecs, name).__doc__


def test_plugin_of_the_readme_works(fake_site):
    """What the README tells plugin authors to write is found and resolves to a complete configuration."""
    pytest.importorskip("pdx_cls")
    from pdx_core.config import default_config

    source = next(
        block for block in re.findall(r"```python\n(.*?)```", text_of("README.md"), re.DOTALL) if "hookimpl" in block
    )
    fake_site.install("tiny", source)
    config = default_config("TinyNet")
    assert config.model.backbone.name == "TinyNet"
    assert config.model.head.name == "ClsHead"


@pytest.mark.paddle
def test_network_of_the_readme_works():
    paddle = pytest.importorskip("paddle")
    source = next(
        block for block in re.findall(r"```python\n(.*?)```", text_of("README.md"), re.DOTALL) if "nn.Layer)" in block
    )
    names: dict = {}
    exec(compile(source, "README", "exec"), names)
    network = names["TinyNet"]()
    (level,) = network(paddle.zeros([2, 3, 64, 64]))
    (feature,) = network.features
    assert level.shape == [2, feature.channels, 64 // feature.stride, 64 // feature.stride]
