"""Which figures may be shown. Expected values are typed by hand, or come from linear algebra."""

import random
from itertools import combinations

import numpy as np
import pytest

from jobs.pages.disclosure import above, shown_areas, summed_up, with_those_above

COUNTY = "211223000000"
ABOVE = ["210000000000", "211200000000", COUNTY]
FIRST, BOTH, SECOND = 0b01, 0b11, 0b10


def town(number: int) -> str:
    return f"2112231{number:02}000"


def shown_towns(people: list[int], at_least: int = 16) -> list[bool]:
    """Return which towns of a county are shown, by the people counted in each."""
    parts = summed_up([(town(n), 0, 1, each) for n, each in enumerate(people)], 1)
    [shown] = shown_areas(parts, 1, at_least)
    return [town(n) in shown for n in range(len(people))]


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ([20, 30, 40], [True, True, True]),
        # One small cell is the county less the others: the smallest of those goes too.
        ([3, 30, 20, 40], [False, True, False, True]),
        # Two small ones that hide each other.
        ([8, 30, 9], [False, True, False]),
        ([0, 3, 16, 16], [True, False, False, True]),
        # The county itself is too small.
        ([3, 0], [False, False]),
    ],
)
def test_small_towns_are_hidden_and_cannot_be_subtracted(people, expected):
    assert shown_towns(people) == expected


def test_the_rest_of_a_known_whole_counts_too():
    counted, others = [90, 40, 20], [10, 60, 20]
    rows = [(town(n), 0, 1, each) for n, each in enumerate(counted, start=1)]
    rows += [(town(n), 1, 1, each) for n, each in enumerate(others, start=1)]
    parts = summed_up(rows, 2)
    [shown] = shown_areas(parts, 1, at_least=16)
    # Of town 1 ten people are left; town 3 goes with it, having fewest of them.
    assert shown == {*ABOVE, town(2)}


def test_under_a_hidden_town_no_village_is_shown():
    rows = [("211223101201", 0, 1, 100), ("211223101202", 0, 1, 20), ("211223102201", 0, 1, 5)]
    [shown] = shown_areas(summed_up(rows, 1), 1, at_least=16)
    assert shown == set(ABOVE)


def test_a_small_change_is_not_shown_until_it_has_grown():
    """Three more on the second date, twenty more on the third."""
    rows = [(town(1), 0, 0b111, 100), (town(1), 0, 0b110, 3), (town(1), 0, 0b100, 20)]
    first, second, third = shown_areas(summed_up(rows, 1), 3, at_least=16)
    assert first == {*ABOVE, town(1)} and second == set() and third == first


def test_equal_counts_of_other_people_are_a_change():
    rows = [(town(1), 0, BOTH, 100), (town(1), 0, FIRST, 5), (town(1), 0, SECOND, 5)]
    first, second = shown_areas(summed_up(rows, 1), 2, at_least=16)
    assert town(1) in first and second == set()


def test_a_change_cannot_be_subtracted_between_towns():
    """The county gains 18 people and town 1 has 16 of these: town 2 must not be known to gain 2."""
    rows = [(town(n), 0, BOTH, 100) for n in (1, 2, 3)]
    rows += [(town(1), 0, SECOND, 16), (town(2), 0, SECOND, 2)]
    first, second = shown_areas(summed_up(rows, 1), 2, at_least=16)
    assert first == {*ABOVE, town(1), town(2), town(3)}
    assert second == {*ABOVE, town(3)}


def test_a_figure_stays_within_another():
    parts = summed_up([(town(n), 0, 1, 50) for n in (1, 2, 3)], 1)
    [shown] = shown_areas(parts, 1, 16, within=[frozenset([*ABOVE, town(1), town(2)])])
    # Town 3 alone would be the county less two: another 50 people, which is enough.
    assert shown == {*ABOVE, town(1), town(2)}


def test_a_town_right_below_its_city_has_no_county():
    assert list(with_those_above("441900003001")) == [
        "441900003001", "441900003000", "441900000000", "440000000000"
    ]  # fmt: skip
    assert above("441900003000") == "441900000000"


VILLAGES = [f"2112231{town}{number}" for town in ("01", "02", "03") for number in (201, 202, 203)]


@pytest.mark.parametrize("seed", range(60))
def test_nothing_small_can_be_got_by_adding_and_subtracting(seed):
    """Hold the rule against linear algebra.

    Unknown are the people of each village by the dates on which they are counted. Told are the
    counts of what is shown, and who came between two dates. Whatever set of villages then has a
    count, or a change, that follows from what is told, it is empty or large.
    """
    rng = random.Random(seed)
    n_dates = rng.choice([1, 2, 3])
    unknown = [(one, dates) for one in VILLAGES for dates in range(1, 2**n_dates)]
    most = {dates: rng.choice([0, 4, 25, 60]) for dates in range(1, 2**n_dates)}
    most[2**n_dates - 1] = 60
    people = {key: rng.choice([0, rng.randint(0, most[key[1]])]) for key in unknown}
    parts = summed_up([(one, 0, dates, n) for (one, dates), n in people.items()], 1)
    shown = shown_areas(parts, n_dates, at_least=16)

    def told(areas, mask, bits):
        return np.array([one in areas and dates & mask == bits for one, dates in unknown], float)

    def counts(areas, dates):
        yield from (told(areas, 1 << at, 1 << at) for at in dates)
        for then, now in combinations(dates, 2):
            both = 1 << then | 1 << now
            yield from (told(areas, both, bits) for bits in (1 << then, 1 << now, both))

    known = [
        line
        for area in parts
        for line in counts(
            {one for one in VILLAGES if area in with_those_above(one)},
            [at for at in range(n_dates) if area in shown[at]],
        )
    ]
    values = np.array(list(people.values()), float)
    basis = np.linalg.svd(np.array(known or [np.zeros(len(unknown))]), full_matrices=False)
    span = basis.Vh[basis.S > 1e-9]
    for size in range(1, len(VILLAGES) + 1):
        for areas in combinations(VILLAGES, size):
            for line in counts(set(areas), range(n_dates)):
                if np.abs(line - line @ span.T @ span).max() < 1e-9:
                    assert not 0 < line @ values < 16
