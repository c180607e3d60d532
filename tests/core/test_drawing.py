"""Labels on pictures: readable, inside the picture, in any script."""

import itertools

import numpy as np
import pytest

from pdx_core import drawing

GREY = np.full((200, 300, 3), 128, np.uint8)


def width(text, size=12):
    return drawing._text_size(drawing.load_font(text, size), text)[0]


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (255, 255, 0), (0, 0, 160), (120, 120, 120)])
def test_text_has_contrast_on_its_background(colour):
    def luminance(shade):
        parts = [(c / 255 / 12.92) if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in shade]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    dark, light = sorted((luminance(colour), luminance(drawing.text_colour(colour))))
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # what WCAG asks of normal text


def test_neighbouring_classes_differ_and_a_class_keeps_its_colour():
    colours = [drawing.label_colour(index) for index in range(24)]
    assert colours == [drawing.label_colour(index) for index in range(24)]
    assert len(set(colours)) == 24
    for one, other in itertools.pairwise(colours):
        assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) > 100


def test_the_score_survives_when_the_label_is_cut():
    font = drawing.load_font("x", 12)
    text = drawing.shorten("ice bear, polar bear, Ursus Maritimus", " 0.79", font, 120)
    assert text.endswith("… 0.79") and width(text) <= 120
    assert drawing.shorten("cat", " 0.79", font, 500) == "cat 0.79"


def test_a_label_changes_only_the_upper_left_corner_and_not_its_input():
    before = GREY.copy()
    drawn = drawing.draw_label(GREY, "chat noir", tail=" 0.98")
    assert (before == GREY).all() and drawn.shape == GREY.shape
    assert (drawn[:30] != 128).any() and (drawn[60:] == 128).all()


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (30, 2000), (2000, 30)])
def test_any_size_of_picture_can_be_labelled(shape):
    image = np.zeros((*shape, 3), np.uint8)
    assert drawing.draw_label(image, "a label", tail=" 0.50").shape == image.shape


@pytest.mark.parametrize("text", ["naïve Straße", "Привет", "熊", "🐻", ""])
def test_any_script_is_drawn_without_an_error(text):
    drawn = drawing.draw_label(GREY, text)
    assert drawn.shape == GREY.shape and drawn.dtype == np.uint8
    assert not text or (drawn != GREY).any()


def test_a_font_of_ones_own(monkeypatch):
    own = str(drawing._dejavu())
    monkeypatch.setenv(drawing.FONT_VARIABLE, own)
    assert str(drawing.font_file("熊")) == own


def test_boxes_are_framed_where_they_are():
    drawn = drawing.draw_boxes(GREY, np.array([[50, 80, 150, 160]]), ["dog 0.9"])
    changed = np.argwhere((drawn != 128).any(axis=2))
    assert changed[:, 1].min() >= 48 and changed[:, 0].max() <= 162
    assert (drawn[100:140, 70:130] == 128).all()  # nothing inside


def test_a_box_out_of_order_or_at_the_edge_does_no_harm():
    drawn = drawing.draw_boxes(GREY, np.array([[150, 160, 50, 80], [-20, -20, 10, 10]]), ["a", "b"])
    assert drawn.shape == GREY.shape and (drawn != GREY).any()
