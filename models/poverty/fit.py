"""Fit the formula of the model `poverty`."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge  # type: ignore[import-untyped]

from models.poverty.predict import PLACE_DIGITS, Floats, Formula, Term, formed

# The forms in which each column enters. What is missing together has one effect of being missing.
FORMS = {
    "n_members": ("log",),
    "n_children": ("value",),
    "n_elderly": ("value",),
    "n_students": ("value",),
    "n_workers": ("value",),
    "n_migrants": ("value",),
    "dependency_share": ("value",),
    "head_age": ("value", "square", "missing"),
    "is_head_female": ("value",),
    "has_public_job": ("value",),
    "schooling_years": ("value", "missing"),
    "best_schooling_years": ("value",),
    "village_n_subscribers": ("log", "missing"),
    "village_active_days": ("value",),
    "village_contacts": ("log",),
    "village_call_s": ("log",),
}
ROUNDING = 1e-9


def fit(rows: pd.DataFrame, params: dict[str, Any]) -> Formula:
    """Fit by weighted ridge regression.

    Terms are standardised and places are not, and weights have a mean of 1, so the penalty is in
    households: the effect of a place with `shrink_households` of them is halved, that of a term
    hardly touched. A household without consumption has no logarithm and is left out.
    """
    rows = rows[rows["consumption_cny"] > 0]
    weight = rows["weight"].to_numpy(dtype=float)
    weight = weight / weight.mean()
    terms = [_term(rows, column, form, weight) for column in FORMS for form in FORMS[column]]
    places = _places(rows["village_code"])
    standard = [(term.values(rows) - term.fill) / (term.spread or 1.0) for term in terms]
    ridge = Ridge(alpha=params["shrink_households"]).fit(
        np.column_stack([*standard, *places.values()]),
        np.log(rows["consumption_cny"].to_numpy(dtype=float)),
        sample_weight=weight,
    )
    of_terms, of_places = np.split(ridge.coef_, [len(terms)])
    fitted = [
        replace(term, coefficient=float(effect) / term.spread if term.spread else 0.0)
        for term, effect in zip(terms, of_terms, strict=True)
    ]
    return Formula(
        intercept=float(ridge.intercept_) - sum(term.coefficient * term.fill for term in fitted),
        terms=fitted,
        places=dict(zip(places, map(float, of_places), strict=True)),
    )


def _term(rows: pd.DataFrame, column: str, form: str, weight: Floats) -> Term:
    """Return a term without its effect; its fill is the mean of the known values, 0 without one."""
    told = formed(rows[column], form)
    is_known = ~np.isnan(told)
    fill = float(np.average(told[is_known], weights=weight[is_known])) if is_known.any() else 0.0
    around = np.where(is_known, told - fill, 0.0)
    spread = float(np.sqrt(np.average(around**2, weights=weight)))
    # A column that is the same for all has no spread but for rounding, and no effect.
    return Term(column, form, fill, spread if spread > ROUNDING else 0.0)


def _places(codes: "pd.Series[str]") -> dict[str, Floats]:
    """Return for each county and town of the rows a column of who lies in it."""
    return {
        place: (codes.str[:digits] == place).to_numpy(dtype=float)
        for digits in PLACE_DIGITS
        for place in sorted(codes.str[:digits].unique())
    }
