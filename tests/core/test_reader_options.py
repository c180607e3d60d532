"""Options that plugins declare for their readers are flags of the commands that read datasets."""

from __future__ import annotations

import json

import pytest

PLUGIN = """
    import attrs
    from pdx_core import hookimpl
    from pdx_core.specs import ReaderSpec
    PDX_API = 1

    @attrs.frozen(kw_only=True)
    class Options:
        zoom: int = attrs.field(default=1, validator=attrs.validators.gt(0), metadata={"help": "How near."})
        names: dict[str, str] = attrs.field(factory=dict)
        output: str = ""  # a flag of the command itself, which it must not hide

    class Checker:
        dataset_type = "Dots"
        def __init__(self, root, settings):
            self.settings = settings
        def check(self, findings):
            findings.warn("seen", repr(dict(self.settings.options)))
        def attributes(self, output):
            return {"num_classes": 1, "train_samples": 0, "val_samples": 0}
        def split(self, output, train_percent, val_percent, seed):
            return {"train": self.settings.options.get("zoom", 1), "val": 0}

    @hookimpl
    def pdx_dataset_readers():
        yield ReaderSpec(name="Dots", task="dot", target="m:o", options=__name__ + ":Options",
                         detect=__name__ + ":is_dots", checker=__name__ + ":Checker")

    def is_dots(folder):
        return (folder / "dots").exists()
"""


@pytest.fixture
def dots(fake_site, tmp_path):
    fake_site.install("dots", PLUGIN)
    (tmp_path / "data" / "dots").mkdir(parents=True)
    return tmp_path / "data"


def test_options_reach_the_checker_with_their_types(fake_site, dots, tmp_path):
    done = fake_site.run(
        "check", str(dots), "--out", str(tmp_path / "out"), "--zoom", "3", "--names", "{a: 1}", "--json"
    )
    assert done.returncode == 0, done.stderr
    (finding,) = json.loads(done.stdout)["findings"]
    assert finding["message"] == "{'names': {'a': '1'}, 'zoom': 3}"
    assert (tmp_path / "out" / "findings.json").is_file()  # --out is the command's own


def test_split_takes_them_too(fake_site, dots, tmp_path):
    done = fake_site.run("split", str(dots), "--train", "50", "--out", str(tmp_path / "out"), "--zoom", "7", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["train"] == 7


def test_help_lists_them_with_their_reader(fake_site, dots):
    shown = " ".join(fake_site.run("check", "--help").stdout.split())
    assert "--zoom VALUE How near. (of Dots)" in shown and shown.endswith("-h, --help Show this message and exit.")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--zoom", "0"), "Dots.zoom: must be > 0, got 0 (from --zoom)"),
        (("--zoom", "x"), "expected a whole number"),
        (("--zoomm", "1"), "--zoom"),
    ],
)
def test_wrong_ones_are_refused(fake_site, dots, tmp_path, flags, words):
    done = fake_site.run("check", str(dots), "--out", str(tmp_path / "out"), *flags)
    assert done.returncode == 2 and words in done.stderr, done.stderr


def test_a_format_without_options_refuses_them(fake_site, dots, tmp_path):
    source = PLUGIN.replace('options=__name__ + ":Options",', "").replace("Dots", "Lines").replace("dots", "lines")
    fake_site.install("lines", source)
    (tmp_path / "other" / "lines").mkdir(parents=True)
    done = fake_site.run("check", str(tmp_path / "other"), "--out", str(tmp_path / "out"), "--zoom", "2")
    assert done.returncode == 2 and "Lines takes no option; leave out --zoom" in done.stderr
