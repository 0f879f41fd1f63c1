"""The formula of the model `poverty`, and its face for MLflow.

MLflow keeps this file with each version and runs the kept copy, so it imports nothing of ours.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Digits of a division's code that name a county and a town.
PLACE_DIGITS = (6, 9)


@dataclass(frozen=True)
class Term:
    """One effect: log points per unit of a column in a form (value, log, square, missing).

    `log` is ln(1 + x); `square` is the hundredth of x squared; `missing` is 1 where x is unknown.
    `fill` stands for an unknown value of the form. `spread` is its standard deviation, so that
    coefficient x spread says how much a term matters.
    """

    column: str
    form: str
    fill: float
    spread: float
    coefficient: float = 0.0

    def values(self, rows: pd.DataFrame) -> Floats:
        """Return the column in its form, unknown values filled."""
        told = formed(rows[self.column], self.form)
        return np.where(np.isnan(told), self.fill, told)


@dataclass(frozen=True)
class Formula:
    """ln(consumption) = intercept + terms + effects of county and town; unknown places have 0."""

    intercept: float
    terms: list[Term]
    places: dict[str, float]

    def predict(self, rows: pd.DataFrame) -> Floats:
        """Return yuan per head and year."""
        log = np.full(len(rows), self.intercept)
        for term in self.terms:
            log += term.coefficient * term.values(rows)
        for digits in PLACE_DIGITS:
            codes = rows["village_code"].str[:digits]
            log += codes.map(self.places).fillna(0.0).to_numpy(dtype=float)
        return np.exp(log)

    def save(self, path: Path) -> None:
        """Write the formula as JSON that a person can read."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Formula":
        """Read a formula that `save` wrote."""
        told = json.loads(path.read_text(encoding="utf-8"))
        return cls(told["intercept"], [Term(**term) for term in told["terms"]], told["places"])


def formed(values: "pd.Series[Any]", form: str) -> Floats:
    """Return a column in one form, unknown values as NaN."""
    x = values.to_numpy(dtype=float, na_value=np.nan)
    match form:
        case "value":
            return x
        case "log":
            return np.log1p(x)
        case "square":
            return x * x / 100
        case "missing":
            return np.isnan(x).astype(float)
    raise ValueError(f"There is no form {form!r}.")


class PovertyModel(PythonModel):  # type: ignore[misc]
    """What MLflow loads and calls."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the formula that this version was logged with."""
        self.formula = Formula.load(Path(context.artifacts["model"]))

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> Floats:
        """Score a batch of rows."""
        return self.formula.predict(model_input)


set_model(PovertyModel())
