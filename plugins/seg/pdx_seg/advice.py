"""What to write after `--remap`, found from the values and colours that masks really hold."""

from __future__ import annotations

from collections.abc import Mapping

from pdx_seg.labels import IGNORE
from pdx_seg.palette import mask_palette, palette
from pdx_seg.readers.cityscapes import TRAINED_IDS
from pdx_seg.readers.coding import MaskCoding
from pdx_seg.remap import Colour, remap_text

_MANY = 64  # more values than this are not labels


def advise_remap(coding: MaskCoding, raw: Mapping[int | Colour, int]) -> str:
    """ "map them with --remap '{0: 0, 255: 1}' (...)", or nothing where no mapping suggests itself.

    raw: pixels of the whole dataset by value or colour
    """
    values = sorted(key for key in raw if isinstance(key, int))
    colours = sorted(key for key in raw if isinstance(key, tuple))
    if colours and len(colours) <= _MANY:
        return _say(_colour_entries(colours), "check which colour is which class")
    if not values or len(values) > _MANY:
        return ""
    kept = [value for value in values if value != coding.ignore or len(values) == 2]
    if set(TRAINED_IDS) & set(kept) and max(kept) <= 33 and len(kept) > 20:
        return "are these the ids of Cityscapes? read them with --reader Cityscapes, or map them with --remap"
    if coding.count is not None and len(kept) > coding.count:
        unknown = [value for value in kept if value >= coding.count]
        if unknown == list(range(coding.count, coding.count + len(unknown))):
            return ""  # they go on where the classes end: the file of names is too short
        return _say([(value, IGNORE) for value in unknown], "or correct the masks")
    if kept == list(range(len(kept))):
        return ""
    return _say([(value, label) for label, value in enumerate(kept)], "if that is their order")


def _say(entries: list[tuple[int | Colour, int]], condition: str) -> str:
    text = remap_text(entries)
    return (
        f"map them with --remap '{text}' ({condition}); when training, "
        f'-o "Data.reader={{name: SegDataset, remap: {text}}}"'
    )


def _colour_entries(colours: list[Colour]) -> list[tuple[int | Colour, int]]:
    """Class indices of a known palette, else the colours in their order."""
    voc = [(0, 0, 0), *map(tuple, palette(255).tolist())]  # Pascal VOC's begins with the black that Paddle leaves out
    for known in (voc, list(map(tuple, mask_palette().tolist()))):
        table = {colour: number for number, colour in reversed(list(enumerate(known)))}
        table[(224, 224, 192)] = IGNORE
        if (
            all(colour in table for colour in colours)
            and max((table[colour] for colour in colours if table[colour] != IGNORE), default=0) < 2 * len(colours) + 1
        ):
            return sorted(((colour, table[colour]) for colour in colours), key=lambda entry: entry[1])
    return [(colour, number) for number, colour in enumerate(colours)]
