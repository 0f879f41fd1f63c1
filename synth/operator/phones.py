"""Subscribers of one block without its plan: for callers that make a county in one piece."""

import numpy as np
import pandas as pd

from synth.figures import Figures
from synth.lives.lives import Lives
from synth.operator import subscribers as made
from synth.operator.cells import cells
from synth.people.population import Population
from synth.plan import Block, Told

__all__ = ["cells", "subscribers"]


def subscribers(who: Population, life: Lives, seed: int, given: Figures) -> pd.DataFrame:
    """Return the numbers of a population, for the month of the default plan."""
    block = Block("", "", np.arange(0), len(who.people), 0, 0, 1)
    return made.subscribers(who, life, Told(seed=seed), block, given)
