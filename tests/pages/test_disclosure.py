"""Which figures may be shown. Expected values are typed by hand."""

import random

import pytest

from jobs.pages.disclosure import may_show, shown_cells


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(0, 100, True), (15, 100, False), (16, 100, True), (85, 100, False), (84, 100, True),
     (100, 100, True)],
)  # fmt: skip
def test_a_part_is_shown_with_enough_people_in_it_and_outside_it(part, whole, expected):
    assert may_show(part, whole, at_least=16) is expected


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ([20, 30, 40], [True, True, True]),
        # One small cell is the sum less the others: the smallest of those goes too.
        ([3, 30, 20, 40], [False, True, False, True]),
        # Two small ones that hide each other.
        ([8, 30, 9], [False, True, False]),
        ([0, 3, 16, 16], [True, False, False, True]),
        ([3, 0], [False, True]),
    ],
)
def test_small_cells_are_hidden_and_cannot_be_subtracted(people, expected):
    assert shown_cells(people, at_least=16) == expected


def test_what_is_hidden_holds_enough_people_or_everything():
    rng = random.Random(3)
    for _ in range(500):
        people = [rng.choice([0, rng.randrange(1, 16), rng.randrange(1, 60)]) for _ in range(6)]
        shown = shown_cells(people, at_least=16)
        hidden = sum(n for n, is_shown in zip(people, shown, strict=True) if not is_shown)
        assert all(n == 0 or n >= 16 for n, is_shown in zip(people, shown, strict=True) if is_shown)
        assert hidden == 0 or hidden >= 16 or hidden == sum(people)


def test_a_cell_whose_rest_is_small_is_hidden():
    assert shown_cells([90, 40], at_least=16, wholes=[100, 100]) == [False, True]
