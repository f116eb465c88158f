import warnings

import matplotlib
import pytest
from matplotlib.font_manager import fontManager

from worker.training.evaluation.drawing import OTHER_FONTS, blank, fonts, ink_on, png


def test_ink_is_black_on_light_and_white_on_dark():
    assert ink_on(1, 1, 1) == ink_on(0.5, 0.7, 0.9) == ink_on(1, 1, 0) == "black"
    assert ink_on(0, 0, 0) == ink_on(0, 0, 1) == ink_on(0.1, 0.4, 0.2) == "white"


def test_the_fonts_of_other_scripts_are_asked_for_where_they_are_installed_alone(monkeypatch):
    some = fontManager.ttflist[0]
    monkeypatch.setattr(fontManager, "ttflist", [some])
    assert fonts() == matplotlib.rcParams["font.family"]

    installed = type(some)(name=OTHER_FONTS[2])
    monkeypatch.setattr(fontManager, "ttflist", [some, installed])
    assert fonts() == [*matplotlib.rcParams["font.family"], OTHER_FONTS[2]]


def test_a_title_in_letters_that_no_font_has_is_drawn_without_a_word(caplog):
    figure, _ = blank("\u97f3\U0001f3b5\U000f0000")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert png(figure)

    assert not caplog.records


@pytest.mark.parametrize("title", ["$", "$a$", "$\\frac{$"])
def test_a_title_is_never_a_formula(title):
    figure, _ = blank(title)

    assert png(figure)
    assert not figure.findobj(lambda each: hasattr(each, "get_parse_math") and each.get_text() == title)[
        0
    ].get_parse_math()
