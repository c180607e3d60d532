"""Five hundred random mistakes: never a traceback, and a one-letter slip is nearly always recognised."""

from __future__ import annotations

import random
import re

import pytest

from pdx_core.config import dump, resolve
from pdx_core.config_merge import all_keys
from pdx_core.errors import PdxError
from tests.core.zoo_source import ZOO

LETTERS = "abcdefghijklmnopqrstuvwxyz_"
JUNK = [
    "null",
    "[]",
    "{}",
    "-1",
    "1e400",
    "true",
    "'",
    '"',
    "&a",
    "*a",
    "!!int x",
    "|",
    "\t",
    "{a: [",
    "图",
    "\x07",
    "%",
    "@",
]


@pytest.fixture
def complete_file(fake_site):
    fake_site.install("zoo", ZOO)
    return dump(resolve("CountNet_x1_0"))


def one_edit(word: str, chance: random.Random) -> str:
    """One letter added, removed, replaced, or swapped with its neighbour."""
    place = chance.randrange(len(word))
    edits = [
        word[:place] + chance.choice(LETTERS) + word[place:],
        word[:place] + word[place + 1 :],
        word[:place] + chance.choice(LETTERS) + word[place + 1 :],
        word[:place] + word[place : place + 2][::-1] + word[place + 2 :],
    ]
    return chance.choice(edits)


def mutated(text: str, chance: random.Random) -> str:
    lines = text.splitlines()
    row = chance.randrange(len(lines))
    line = lines[row]
    kind = chance.randrange(6)
    if kind == 0:
        lines[row] = re.sub(r":.*", ": " + chance.choice(JUNK), line)
    elif kind == 1:
        lines[row] = (
            line[: chance.randrange(len(line) + 1)] + chance.choice(JUNK) + line[chance.randrange(len(line) + 1) :]
        )
    elif kind == 2:
        lines.insert(row, line)
    elif kind == 3:
        lines[row] = " " * chance.randrange(8) + line.strip()
    elif kind == 4:
        del lines[row]
    else:
        lines[row] = one_edit(line, chance) if line else chance.choice(JUNK)
    return "\n".join(lines)


def test_five_hundred_mutations_never_crash(complete_file, tmp_path):
    chance = random.Random(4)
    file = tmp_path / "mutated.yaml"
    refused = 0
    for _ in range(500):
        text = complete_file
        for _ in range(chance.choice((1, 1, 2, 3))):
            text = mutated(text, chance)
        file.write_text(text, encoding="utf-8")
        try:
            resolve("CountNet_x1_0", file)
        except PdxError as error:
            refused += 1
            assert str(error).strip()
    assert 150 < refused < 500  # neither does everything pass nor nothing


def test_one_letter_slips_in_keys_are_recognised(complete_file):
    """At least 90 % of the slips that are no key themselves name the key that was meant."""
    chance = random.Random(5)
    leaves = [key for key in all_keys() if "." in key and not key.startswith("Model")]
    hits = tries = 0
    while tries < 400:
        key = chance.choice(leaves)
        section, _, word = key.rpartition(".")
        slip = f"{section}.{one_edit(word, chance)}"
        if slip in leaves or slip.endswith("."):
            continue
        tries += 1
        with pytest.raises(PdxError) as caught:
            resolve("CountNet_x1_0", overrides=[f"{slip}=1"])
        hits += f"'{word}'" in str(caught.value).partition("Valid keys")[0]
    assert hits / tries >= 0.9, f"{hits} of {tries}"
