"""Discovery: a broken plugin is named and never takes another with it."""

from __future__ import annotations

import attrs
import pytest

from pdx_core.errors import DataError, PluginError, UnknownNameError
from pdx_core.plugins import Registry, get_registry

GOOD = """
    from pdx_core import hookimpl
    from pdx_core.specs import BackboneSpec
    PDX_API = 1

    @hookimpl
    def pdx_backbones():
        yield BackboneSpec(name="GoodNet_x1_0", aliases=("good",), target="nowhere:Net", channels=(8,), strides=(4,))
"""
HEAD = "from pdx_core import hookimpl\nfrom pdx_core.specs import *\nPDX_API = 1\n"
BROKEN = {
    "missing_import": ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
    "exits": ("import sys; sys.exit(7)", "SystemExit: 7"),
    "newer": ("PDX_API = 2", "written for hook API 2, this pdx-core speaks 1; upgrade pdx-core"),
    "older": ("PDX_API = 0", "upgrade the plugin"),
    "no_api": ("x = 1", "add PDX_API = 1"),
    "odd_api": ("PDX_API = []", "PDX_API must be a whole number such as 1, got []"),
    "true_api": ("PDX_API = True", "PDX_API must be a whole number such as 1, got True"),
    "text": ("PDX_API = '1'", "PDX_API must be a whole number such as 1, got '1'"),
    "own_exception": ("class Own(BaseException): pass\nraise Own('as it likes')", "Own: as it likes"),
    "syntax": ("def (", "SyntaxError"),
    "mistyped": (
        HEAD + "@hookimpl\ndef pdx_model(): return []",
        "no hook named 'pdx_model'. Did you mean 'pdx_models'",
    ),
    "other_prefix": (HEAD + "@hookimpl\ndef get_models(): return []", "no hook named 'get_models'"),
    "unmarked": (HEAD + "def pdx_models(): return []", "pdx_models is not marked as a hook"),
    "arguments": (HEAD + "@hookimpl\ndef pdx_models(registry): return []", "must take no argument; it has 'registry'"),
}
BROKEN_HOOKS = {
    "wrong_record": (
        HEAD + "@hookimpl\ndef pdx_models(): yield HeadSpec(name='a', task='t', target='m:o')",
        "must yield ModelSpec, got HeadSpec",
    ),
    "not_iterable": (HEAD + "@hookimpl\ndef pdx_models(): return 3", "must return an iterable of ModelSpec, got int"),
    "single_record": (
        HEAD + "@hookimpl\ndef pdx_heads(): return HeadSpec(name='a', task='t', target='m:o')",
        "must return an iterable of HeadSpec, got HeadSpec",
    ),
    "bad_name": (
        HEAD + "@hookimpl\ndef pdx_heads(): yield HeadSpec(name='a b', task='t', target='m:o')",
        "HeadSpec: name must be letters",
    ),
    "bad_target": (
        HEAD + "@hookimpl\ndef pdx_heads(): yield HeadSpec(name='a', task='t', target='m')",
        "target must look like 'package.module:object'; got 'm'",
    ),
    "endless": (
        HEAD
        + "@hookimpl\ndef pdx_heads():\n    for n in range(9**9): yield HeadSpec(name=f'a{n}', task='t', target='m:o')",
        "yields more than 10000 records; does it ever end?",
    ),
    "exits_in_hook": (HEAD + "@hookimpl\ndef pdx_heads(): raise SystemExit(3)", "SystemExit: 3"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_plugin_is_set_aside_and_named(fake_site, case):
    source, message = BROKEN[case]
    fake_site.install("bad", source, version="0.3")
    fake_site.install("good", GOOD)
    registry = fake_site.registry()
    (problem,) = registry.problems
    assert (problem.plugin, problem.version, problem.stage) == ("bad", "0.3", "loading")
    assert message in problem.error
    assert {info.name: info.status for info in registry.plugins} == {"bad": "failed", "good": "loaded"}
    assert registry.find("backbones", "GoodNet_x1_0").channels == (8,)


@pytest.mark.parametrize("case", BROKEN_HOOKS)
def test_broken_hook_is_named_and_the_others_work(fake_site, case):
    source, message = BROKEN_HOOKS[case]
    fake_site.install("bad", source)
    fake_site.install("good", GOOD)
    registry = fake_site.registry()
    (problem,) = registry.problems
    assert problem.stage.startswith("pdx_") and message in problem.error
    assert registry.find("backbones", "good").name == "GoodNet_x1_0"


def test_records_before_a_generator_breaks_off_are_kept(fake_site):
    source = HEAD + "@hookimpl\ndef pdx_heads():\n    yield HeadSpec(name='first', task='t', target='m:o')\n    1 / 0\n"
    fake_site.install("half", source)
    registry = fake_site.registry()
    assert [spec.name for spec in registry.specs("heads")] == ["first"]
    assert "ZeroDivisionError" in registry.problems[0].error


def test_name_offered_by_two_plugins_needs_the_plugin(fake_site):
    fake_site.install("one", GOOD)
    fake_site.install("two", GOOD.replace("(8,)", "(16,)"))
    registry = fake_site.registry()
    with pytest.raises(UnknownNameError, match=r"2 plugins offer a backbone.*'one/GoodNet_x1_0' or 'two/GoodNet_x1_0'"):
        registry.find("backbones", "GoodNet_x1_0")
    assert registry.find("backbones", "two/goodnet-x1.0").channels == (16,)
    assert registry.problems == []


def test_name_offered_twice_by_one_plugin_is_a_problem_and_the_first_is_kept(fake_site):
    source = HEAD + (
        "@hookimpl\ndef pdx_heads():\n"
        "    yield HeadSpec(name='A-b', task='one', target='m:o')\n"
        "    yield HeadSpec(name='a_B', task='two', target='m:o')\n"
    )
    fake_site.install("twice", source)
    registry = fake_site.registry()
    assert "'a_B' is offered twice" in registry.problems[0].error
    assert registry.find("heads", "a.b").task == "one"


READERS = """
    from pdx_core import hookimpl
    from pdx_core.specs import ReaderSpec
    PDX_API = 1

    def converter(source, destination):
        return {"train": ord(source.spec.task[0])}

    @hookimpl
    def pdx_dataset_readers():
        yield from ROWS
"""


def install_readers(site, plugin, *rows):
    """A plugin with a dataset reader per row (name, aliases, task); it detects a folder that holds a file `<task>`."""
    records = ", ".join(
        f"ReaderSpec(name={name!r}, aliases={aliases!r}, task={task!r}, target='m:o', "
        f"detect=__name__ + ':is_{task}', converter=__name__ + ':converter')"
        for name, aliases, task in rows
    )
    detectors = "".join(f"    is_{task} = lambda folder: (folder / '{task}').exists()\n" for _, _, task in rows)
    site.install(plugin, READERS.replace("ROWS", f"[{records}]") + detectors)


def test_readers_of_two_tasks_may_have_one_name(fake_site):
    install_readers(fake_site, "boxes", ("BoxCOCO", ("COCO",), "box"), ("Label.Me", (), "box"))
    install_readers(fake_site, "masks", ("COCO", (), "mask"), ("label_me", (), "mask"))
    registry = fake_site.registry()
    assert registry.problems == []
    assert registry.find("dataset_readers", "LABEL-ME", task="mask").name == "label_me"
    assert registry.find("dataset_readers", "LABEL-ME", task="box").name == "Label.Me"
    assert registry.resolve("dataset_readers", "coco", task="mask").name == "COCO"
    assert registry.resolve("dataset_readers", "coco", task="box").name == "BoxCOCO"  # the alias counts in its task
    assert registry.find("dataset_readers", "masks/COCO", task="box").task == "mask"
    assert registry.find("dataset_readers", "BoxCOCO", task="mask").task == "box"  # for want of one of its own
    with pytest.raises(UnknownNameError, match="'boxes/BoxCOCO' or 'masks/COCO'"):
        registry.find("dataset_readers", "coco")
    assert registry.tasks_with("dataset_readers", "label_me") == ["box", "mask"]
    assert registry.tasks_with("dataset_readers", "BoxCOCO") == ["box"]


def test_name_that_two_tasks_have_needs_the_task_or_the_plugin(fake_site):
    install_readers(fake_site, "boxes", ("LabelMe", (), "box"))
    install_readers(fake_site, "masks", ("LabelMe", (), "mask"), ("Pairs", (), "mask"), ("Pairs", (), "matte"))
    registry = fake_site.registry()
    assert registry.problems == []
    expected = r"2 tasks have a dataset reader named 'labelme' \(from x:1\): say with --task which \(box or mask\), or "
    with pytest.raises(UnknownNameError, match=expected + "write 'boxes/LabelMe' or 'masks/LabelMe'$"):
        registry.find("dataset_readers", "labelme", "x:1")
    with pytest.raises(UnknownNameError, match=expected):
        registry.find("dataset_readers", "labelme", "x:1", task="count")  # a task that has none of that name
    assert registry.find("dataset_readers", "boxes/labelme").task == "box"
    with pytest.raises(UnknownNameError, match=r"which \(mask or matte\)$"):  # the plugin's name would not help
        registry.find("dataset_readers", "masks/Pairs")
    assert registry.find("dataset_readers", "masks/Pairs", task="matte").task == "matte"


def test_one_reader_name_twice_in_a_task_is_refused_as_ever(fake_site):
    install_readers(fake_site, "one", ("LabelMe", (), "box"), ("labelme", (), "box"))
    install_readers(fake_site, "two", ("LabelMe", (), "box"))
    registry = fake_site.registry()
    assert ["'labelme' is offered twice" in problem.error for problem in registry.problems] == [True]
    with pytest.raises(UnknownNameError, match=r"2 plugins offer a dataset reader .*'one/LabelMe' or 'two/LabelMe'"):
        registry.find("dataset_readers", "LabelMe", task="box")


def test_data_are_opened_and_converted_by_the_reader_of_their_task(fake_site, tmp_path):
    from pdx_core.data.convert import convert_dataset, source_and_target
    from pdx_core.data.reading import recognise
    from pdx_core.settings import Component

    install_readers(fake_site, "boxes", ("LabelMe", (), "box"), ("Other", (), "box"))
    install_readers(fake_site, "masks", ("LabelMe", (), "mask"), ("Other", (), "mask"))
    registry, data = get_registry(), tmp_path / "data"
    data.mkdir()
    (data / "mask").touch()
    labelme = Component(name="LabelMe")
    assert [recognise(data, labelme, task).spec.task for task in ("box", "mask")] == ["box", "mask"]
    assert recognise(data, labelme).spec.task == "mask"  # as the data are
    (data / "box").touch()
    with pytest.raises(DataError, match="could be a dataset for box or mask; say which with --task"):
        recognise(data, labelme)
    (data / "mask").unlink()
    source, target = source_and_target(data, "Other", labelme, "mask")
    assert (source.spec.task, target.task) == ("mask", "mask")
    source, target = source_and_target(data, "LabelMe")  # the data are of the task box
    assert (source.spec.task, target.task) == ("box", "box")
    source = attrs.evolve(source, spec=registry.find("dataset_readers", "Other", task="box"))
    assert convert_dataset(source, target, tmp_path / "new") == {"train": ord("b")}


def test_two_distributions_with_one_plugin_name(fake_site):
    fake_site.install("same", GOOD, distribution="pdx-first")
    fake_site.install("same", GOOD, distribution="pdx-second")
    registry = fake_site.registry()
    assert "two plugins are called 'same'" in registry.problems[0].error
    assert len(registry.specs("backbones")) == 1


def test_disabled_plugin_is_not_imported(fake_site, monkeypatch):
    fake_site.install("loud-one", "raise RuntimeError('imported')")
    monkeypatch.setenv("PDX_DISABLE_PLUGINS", "other, LOUD_ONE")
    registry = fake_site.registry()
    assert registry.problems == []
    assert registry.plugins[0].status == "disabled"


def test_strict_raises(fake_site, monkeypatch):
    fake_site.install("exits", "import sys; sys.exit(0)")
    monkeypatch.setenv("PDX_STRICT", "1")
    with pytest.raises(PluginError, match="exits: loading: 0"):
        fake_site.registry()


def test_damaged_metadata_is_survived(fake_site):
    fake_site.install("good", GOOD)
    (metadata,) = fake_site.folder.glob("*.dist-info/METADATA")
    metadata.write_text("")
    registry = fake_site.registry()
    assert registry.plugins[0].status == "loaded"


def test_unknown_name_suggests_and_shows_problems(fake_site):
    fake_site.install("good", GOOD)
    fake_site.install("bad", "import no_such_package")
    with pytest.raises(UnknownNameError) as caught:
        fake_site.registry().find("backbones", "GoodNt_x1_0", "my.yaml:3")
    text = str(caught.value)
    assert "no backbone named 'GoodNt_x1_0' (from my.yaml:3). Did you mean 'GoodNet_x1_0'?" in text
    assert "bad (1.0): loading: ModuleNotFoundError" in text


def test_import_path_stands_for_a_component(fake_site):
    registry = fake_site.registry()
    assert registry.resolve("backbones", "my_lab.nets:Outer.TinyNet").target == "my_lab.nets:Outer.TinyNet"
    with pytest.raises(UnknownNameError, match=r"'a b:c' is not of the form.*my.yaml:9"):
        registry.resolve("backbones", "a b:c", "my.yaml:9")


def test_model_whose_parts_nobody_offers_is_a_problem(fake_site):
    fake_site.install(
        "zoo",
        HEAD + "@hookimpl\ndef pdx_models(): yield ModelSpec(name='M', task='count', backbone='GodNet', head='H')",
    )
    fake_site.install("good", GOOD)
    problems = [problem.error for problem in fake_site.registry().misfits()]
    assert len(problems) == 3
    assert "no backbone named 'GodNet' (from the record of model 'M'). Did you mean 'GoodNet_x1_0'?" in problems
    assert any("no task named 'count'" in problem for problem in problems)


def test_alias_never_hides_a_name():
    class Point:
        def __init__(self, name, module):
            self.name, self.value, self.dist, self.module = name, name, None, module

        def load(self):
            return self.module

    registry = Registry([Point("a", _plugin(("Net", ()))), Point("b", _plugin(("Other", ("net",))))])
    assert registry.find("heads", "NET").name == "Net"
    assert registry.find("heads", "other").name == "Other"


def _plugin(*rows):
    import types

    from pdx_core import hookimpl
    from pdx_core.specs import HeadSpec

    module = types.ModuleType("made_up")
    module.PDX_API = 1

    @hookimpl
    def pdx_heads():
        return [HeadSpec(name=name, aliases=aliases, task="t", target="m:o") for name, aliases in rows]

    module.pdx_heads = pdx_heads
    return module


def test_help_and_list_show_problems_and_leave_with_0(fake_site):
    fake_site.install("bad", "print('noise')\nimport sys; sys.exit(7)", version="0.3")
    shown = fake_site.run("--help")
    assert shown.returncode == 0
    assert "bad (0.3): loading: SystemExit: 7" in shown.stdout
    listed = fake_site.run("plugins", "--json")
    assert listed.returncode == 0
    import json

    report = json.loads(listed.stdout)  # what the plugin printed is not in it
    (problem,) = (problem for problem in report["problems"] if problem["plugin"] == "bad")
    assert "Traceback" in problem["details"]


def test_command_of_a_plugin(fake_site):
    fake_site.install(
        "tool",
        """
        import click
        from pdx_core import hookimpl
        from pdx_core.specs import CommandSpec
        PDX_API = 1

        @click.command()
        def hello():
            click.echo("hello from a plugin")

        @hookimpl
        def pdx_commands():
            yield CommandSpec(name="hello", target=__name__ + ":hello", summary="Say hello.")
            yield CommandSpec(name="gone", target="no_such_module:gone", summary="Cannot be imported.")
        """,
    )
    assert "Say hello. (tool)" in fake_site.run("--help").stdout
    assert fake_site.run("hello").stdout == "hello from a plugin\n"
    gone = fake_site.run("gone")
    assert gone.returncode == 2
    assert "command 'gone' of a plugin cannot be imported" in gone.stderr
    assert "Traceback" not in gone.stderr


def test_command_with_the_name_of_ours_never_wins_silently(fake_site):
    fake_site.install(
        "rival",
        """
        import click
        from pdx_core import hookimpl
        from pdx_core.specs import CommandSpec
        PDX_API = 1

        @click.command()
        def train():
            click.echo("the other one")

        @hookimpl
        def pdx_commands():
            yield CommandSpec(name="train", target=__name__ + ":train")
        """,
    )
    assert "rival: pdx_commands: 'train' is a command of pdx; write pdx rival/train" in fake_site.run("--help").stdout
    assert "the other one" not in fake_site.run("train", "--help").stdout
    assert fake_site.run("rival/train").stdout == "the other one\n"
    unknown = fake_site.run("rival/tran")
    assert unknown.returncode == 2 and "no command named 'rival/tran'" in unknown.stderr
