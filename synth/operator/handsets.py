"""Handsets: a catalogue of made-up models, and who carries which."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr

from synth.figures import Figures, stream

# Type allocation codes that begin with 00 are for tests: no model on sale has one.
TEST_RANGE = "00"


def catalogue(seed: int, told: Figures) -> pd.DataFrame:
    """Return the models: tac, model, is_smartphone, price_cny, the cheapest of each kind first."""
    kinds = {"simple": (False, "simple_prices"), "smart": (True, "smart_prices")}
    rows = [
        (f"{kind}-{price}-{number + 1}", is_smart, price)
        for kind, (is_smart, prices) in kinds.items()
        for price in told["handset"][prices]
        for number in range(told["handset"]["models_a_price"])
    ]
    made = pd.DataFrame(rows, columns=["model", "is_smartphone", "price_cny"])
    drawn = stream(seed, "handsets").permutation(1_000_000)[: len(made)]
    made.insert(0, "tac", [f"{TEST_RANGE}{number:06d}" for number in drawn])
    return made


def handsets(
    age: np.ndarray, wealth: np.ndarray, rng: np.random.Generator, seed: int, told: Figures
) -> tuple[np.ndarray, np.ndarray]:
    """Return the TAC that each person carries, and whether it is a smartphone.

    The young and the better off have smartphones more often, and dearer ones.
    """
    models, follows = catalogue(seed, told), told["follows_wealth"]
    at_40 = logit(told["handset"]["smart_at_40"])
    odds = at_40 + told["handset"]["smart_a_year"] * (age - 40.0) + follows["smartphone"] * wealth
    is_smart = rng.random(len(age)) < expit(odds)
    part = follows["handset"]
    z = part * wealth + np.sqrt(1 - part**2) * rng.normal(size=len(age))
    n_simple = int((~models["is_smartphone"]).sum())
    size = np.where(is_smart, len(models) - n_simple, n_simple)
    place = np.where(is_smart, n_simple, 0) + (ndtr(z) * size).astype(int).clip(0, size - 1)
    return models["tac"].to_numpy()[place], is_smart
