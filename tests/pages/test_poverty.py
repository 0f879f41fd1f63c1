"""Poverty with its errors, as a page tells it. Expected values are worked out by hand."""

from math import exp, log, sqrt

import pytest
from scipy.stats import t as student

from jobs.pages.areas import area_of
from jobs.pages.lake import Lake
from jobs.pages.poverty import PovertyOf
from tests.pages import county
from tests.pages.county import AS_OF, BEFORE

KINDS = {"include": 6, "check": 6, "leave_out": 6, "none": 6}
TOWNS = ("211223101", "211223102", "211223103")
YEAR_BEFORE = AS_OF.replace(year=2014)


def lake(root, samples, before=BEFORE, ratios=(0.16, 0.12), errors=(0.03, 0.04)):
    """Write the surveys of two dates: `samples` has households sampled, by date and town."""
    villages = {f"{town}201": KINDS for town in TOWNS}
    county.tiny(root, {before: villages, AS_OF: villages})
    rows = []
    for as_of, sampled, ratio, error in zip((before, AS_OF), samples, ratios, errors, strict=True):
        areas = dict(zip(TOWNS, sampled, strict=True)) | {"211223": sum(sampled)}
        for code, n in areas.items():
            level = "county" if code == "211223" else "town"
            rows += [
                {"as_of": as_of, "area_code": code.ljust(12, "0"), "level": level, "n_sampled": n,
                 "concept": concept, "headcount_ratio": ratio, "headcount_ratio_error": error,
                 "poverty_gap": 0.0, "poverty_gap_error": 0.0, "squared_gap_error": None,
                 "n_people": 10.0 * n, "n_psu": 7, "n_strata": 3}
                for concept in ("net_income", "consumption")
            ]  # fmt: skip
    county.write(root, "gold.poverty_by_area", rows)
    opened = Lake(str(root))
    return lambda asked: PovertyOf(opened, area_of(opened, asked), at_least=16)


def test_an_estimate_has_the_interval_of_its_degrees_of_freedom(tmp_path):
    of = lake(tmp_path, [(20, 20, 20), (20, 20, 20)])
    whole, *towns = of("211223").table()
    estimate = whole.get()
    assert (estimate.value, estimate.error, whole.n_sampled, whole.on) == (0.12, 0.04, 60, AS_OF)
    # 7 PSUs in 3 strata leave 4 degrees of freedom.
    middle, reach = log(0.12 / 0.88), student.ppf(0.975, 4) * 0.04 / (0.12 * 0.88)
    ends = [1 / (1 + exp(-(middle + way * reach))) for way in (-1, 1)]
    assert [estimate.low, estimate.high] == pytest.approx(ends)
    assert [one.code[:9] for one in towns] == list(TOWNS)


def test_no_error_where_the_design_or_the_sample_gives_none(tmp_path):
    whole = lake(tmp_path, [(20, 20, 20)] * 2)("211223").table()[0]
    # Nobody falls short of the line: an error of 0 would say that nobody does anywhere.
    for measure in ("poverty_gap", "squared_gap"):
        one = whole.get("net_income", measure)
        assert (one.error, one.low, one.high) == (None, None, None)


def test_a_town_sampled_by_few_is_hidden_with_its_smallest_neighbour(tmp_path):
    of = lake(tmp_path, [(9, 20, 30)] * 2)
    assert {one.code[:9]: one.on for one in of("211223").table()} == {
        "211223000": AS_OF, "211223101": None, "211223102": None, "211223103": AS_OF
    }  # fmt: skip
    [own] = of("211223102").table()
    assert own.on is None and own.get() is None and own.n_sampled is None


def test_a_few_more_of_the_same_survey_are_not_told(tmp_path):
    """Three households came late: the county's estimate less last month's would be theirs."""
    of = lake(tmp_path, [(20, 20, 20), (23, 20, 20)])
    whole = of("211223").table()[0]
    assert whole.on == BEFORE and whole.get().value == 0.16 and whole.n_sampled == 60
    assert of("211223").change() is None


def test_another_year_is_another_sample(tmp_path):
    of = lake(tmp_path, [(20, 20, 20), (23, 20, 20)], before=YEAR_BEFORE)
    change = of("211223").change()
    assert of("211223").table()[0].on == AS_OF
    assert change.value == pytest.approx(-0.04) and not change.is_same_survey
    assert change.error == pytest.approx(sqrt(0.03**2 + 0.04**2)) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("before", "errors"), [(BEFORE, (0.03, 0.04)), (YEAR_BEFORE, (0.03, None))]
)
def test_a_change_without_two_errors_of_two_surveys_has_none(tmp_path, before, errors):
    change = lake(tmp_path, [(20, 20, 20)] * 2, before=before, errors=errors)("211223").change()
    assert change.error is None and change.is_same_survey == (before == BEFORE)


def test_without_a_survey_there_is_no_table(tmp_path):
    root = county.tiny(tmp_path, {AS_OF: {"211223101201": KINDS}})
    opened = Lake(str(root))
    of = PovertyOf(opened, area_of(opened, "211223"), at_least=16)
    assert of.table() == [] and of.change() is None
