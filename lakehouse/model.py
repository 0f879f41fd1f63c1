"""How a scoring model is declared. No MLflow and no Spark here: declarations import at once.

A model is a package models/<name>/ of four parts:
    spec.py     one ModelSpec; its docstring is the model card
    fit.py      fit(rows, params) -> Estimator; knows no MLflow
    predict.py  the face that MLflow keeps and loads ("models from code"), reading what the
                estimator saved under the artifact `model`
    judge.py    judge(held, guess, quota) -> measures, by_group(held, guess, quota, groups) ->
                the same errors by group, geography(fitting, held, params) -> what the place alone
                would have guessed
`rows`, `fitting` and `held` have one row per unit with the declared columns; training.py brings
them, and versions.py keeps what comes of it.
"""

import hashlib
import importlib
import pkgutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from lakehouse.conf import method_parameters
from lakehouse.errors import DeclarationError, InputMissing, nearest
from lakehouse.job import source_of
from lakehouse.table import NUMBERS, Table, snake

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    Scores = NDArray[np.float64]

Figures = dict[str, float | None]
PARTS = ("fit", "judge", "predict")
TAKEN = (*NUMBERS, "boolean", "string")


class Estimator(Protocol):
    """What `fit` returns."""

    def predict(self, rows: "pd.DataFrame") -> "Scores":
        """Return one score per row, low for the poor."""

    def save(self, path: Path) -> None:
        """Write what predict.py needs in order to give the same scores."""


@dataclass(frozen=True)
class Target:
    """What is learned: a column of a table, for the rows that meet a condition.

    `where` is Spark SQL, `{as_of}` being the date of training; it leaves one row per unit.
    """

    table: type[Table]
    column: str
    weight: str
    where: str


@dataclass(frozen=True)
class Quota:
    """How many are chosen: the units that a table lists, of all those in the features table.

    `where` is Spark SQL; `{as_of}` and the model's parameters are filled in.
    """

    table: type[Table]
    where: str


@dataclass(frozen=True)
class Gate:
    """What a challenger must reach on held-out units, by a measure that is better when higher.

    At least geography's figure and `over_geography`, and at least the champion's on the same
    units less `below_champion`: a tolerance, so that chance does not keep an older model.
    """

    measure: str
    over_geography: float
    below_champion: float

    def closed_by(self, own: Figures, geography: Figures, champion: Figures | None) -> list[str]:
        """Return why a challenger is refused; nothing where the gate holds."""
        value = own.get(self.measure)
        if value is None:
            return [f"{self.measure} cannot be measured on the held-out rows"]
        bars = [("geography's", geography.get(self.measure), self.over_geography)]
        if champion is not None:
            bars.append(("the champion's", champion.get(self.measure), -self.below_champion))
        return [
            f"{self.measure} {value:.4f} is below {whose} {bar:.4f} {margin:+.4f}"
            for whose, bar, margin in bars
            if bar is not None and value < bar + margin
        ]


class ModelSpec:
    """Base of all models. Class keywords say what training needs; the docstring is the card.

    features  table of what is known of every unit, by date
    columns   those of its columns that the model sees
    place     its column that says where a unit is; what geography alone goes by
    groups    its columns by which errors are told
    target    what is learned; quota: how many are chosen; gate: what a challenger must reach
    parameters  names set in conf/methods.toml under ["model.<name>".<parameter>]
    needs     packages that fitting and scoring import, besides MLflow
    owner, use, limits   who answers for it, what for, and what not to rely on it for

    Raises DeclarationError on import, naming the model, where the declaration is wrong.
    """

    name: ClassVar[str]
    features: ClassVar[type[Table]]
    columns: ClassVar[tuple[str, ...]]
    place: ClassVar[str]
    groups: ClassVar[tuple[str, ...]]
    target: ClassVar[Target]
    quota: ClassVar[Quota]
    gate: ClassVar[Gate]
    parameters: ClassVar[tuple[str, ...]]
    needs: ClassVar[tuple[str, ...]]
    owner: ClassVar[str]
    use: ClassVar[str]
    limits: ClassVar[str]

    def __init_subclass__(cls, **keywords: Any) -> None:
        cls.name = snake(cls.__name__)
        _take_keywords(cls, keywords)
        _check(cls)

    @classmethod
    def doc(cls) -> str:
        """Return the model card's text."""
        return (cls.__doc__ or "").strip()

    @classmethod
    def unit(cls) -> str:
        """Return the column that names what is scored: the key of the features but its date."""
        return next(column for column in cls.features.key if column != cls.features.partition)

    @classmethod
    def column_types(cls) -> dict[str, str]:
        """Return the Spark type in which the model gets each column.

        As declared, but a whole number or flag that may be null is a double: pandas keeps an
        unknown among numbers only as a NaN.
        """
        declared = (cls.features.columns[name] for name in cls.columns)
        return {
            one.name: "double" if one.nullable and one.type != "string" else one.type
            for one in declared
        }

    @classmethod
    def tables(cls) -> list[str]:
        """Return the tables that training reads."""
        return sorted({cls.features.name, cls.target.table.name, cls.quota.table.name})

    @classmethod
    def part(cls, word: str) -> ModuleType:
        """Import one part of the model's package."""
        return importlib.import_module(f"models.{cls.name}.{word}")

    @classmethod
    def parameter_values(cls) -> dict[str, Any]:
        """Return the parameters set in conf/methods.toml. Raises DeclarationError."""
        given = method_parameters().get(f"model.{cls.name}", {})
        for word in given:
            if word not in cls.parameters:
                raise DeclarationError(
                    f"conf/methods.toml sets {word!r} for model.{cls.name}, which has no such "
                    f"parameter.{nearest(word, list(cls.parameters))}"
                )
        for word in cls.parameters:
            if not {"value", "source"} <= set(given.get(word, {})):
                raise DeclarationError(
                    f'conf/methods.toml has no ["model.{cls.name}".{word}] with a value and a '
                    "source."
                )
        return {word: given[word]["value"] for word in cls.parameters}

    @classmethod
    def code_version(cls) -> str:
        """Return a hash of what decides scores and figures, apart from the rows."""
        text = [
            source_of(*(cls.part(word) for word in ("spec", *PARTS))),
            repr(sorted(cls.parameter_values().items())),
            repr(cls.column_types()),
        ]
        return hashlib.sha256("\n".join(text).encode()).hexdigest()[:16]

    @classmethod
    def target_where(cls, as_of: date) -> str:
        """Return the condition on the target's table for a date."""
        return cls.target.where.format(as_of=as_of)

    @classmethod
    def quota_where(cls, as_of: date) -> str:
        """Return the condition on the quota's table for a date."""
        return cls.quota.where.format(as_of=as_of, **cls.parameter_values())


def model_names() -> list[str]:
    """Return the names of all models, which are packages under models/."""
    package = importlib.import_module("models")
    return sorted(one.name for one in pkgutil.iter_modules(package.__path__) if one.ispkg)


def model_spec(name: str) -> type[ModelSpec]:
    """Return one model's declaration. Raises InputMissing or DeclarationError."""
    if name not in model_names():
        raise InputMissing(f"There is no model {name!r}.{nearest(name, model_names())}")
    module = importlib.import_module(f"models.{name}.spec")
    for spec in ModelSpec.__subclasses__():
        if (spec.name, spec.__module__) == (name, module.__name__):
            return spec
    raise DeclarationError(f"models/{name}/spec.py declares no ModelSpec of that name.")


_WHY = {
    "features": "the table of what is known of every unit",
    "columns": "the columns that the model sees",
    "place": "the column that says where a unit is",
    "target": "what is learned",
    "quota": "how many are chosen",
    "gate": "what a challenger must reach",
    "needs": "the packages that it imports",
    "owner": "who answers for it",
    "use": "what it is meant for",
    "limits": "what not to rely on it for",
}
_OPTIONAL: dict[str, Any] = {"groups": (), "parameters": ()}


def _take_keywords(cls: type[ModelSpec], given: dict[str, Any]) -> None:
    known = [*_WHY, *_OPTIONAL]
    for word in given:
        if word not in known:
            raise DeclarationError(
                f"model.{cls.name} has an unknown keyword {word!r}.{nearest(word, known)}"
            )
    for word, meaning in _WHY.items():
        if not given.get(word):
            raise DeclarationError(f"model.{cls.name} does not say {word}= ({meaning}).")
    for word, value in (_OPTIONAL | given).items():
        setattr(cls, word, value)


def _check(cls: type[ModelSpec]) -> None:
    def no(problem: str) -> DeclarationError:
        return DeclarationError(f"model.{cls.name} {problem}")

    if not cls.doc():
        raise no("has no docstring: it is the model card.")
    if len([one for one in cls.features.key if one != cls.features.partition]) != 1:
        raise no(f"scores {cls.features.name}, whose key is not one column and its date.")
    unit, target, quota = cls.unit(), cls.target, cls.quota
    named = [
        *(("columns", cls.features, column) for column in cls.columns),
        *(("groups", cls.features, column) for column in cls.groups),
        ("place", cls.features, cls.place),
        *(("target", target.table, column) for column in (unit, target.column, target.weight)),
        ("quota", quota.table, unit),
    ]
    for word, table, column in named:
        if column not in table.columns:
            raise no(
                f"names {column!r} in {word}=, which is no column of {table.name}."
                f"{nearest(column, list(table.columns))}"
            )
    for column in cls.columns:
        _check_feature(cls, column, no)
    if min(cls.gate.over_geography, cls.gate.below_champion) < 0:
        raise no("has a gate with a negative margin.")


def _check_feature(cls: type[ModelSpec], name: str, no: Any) -> None:
    column = cls.features.columns[name]
    if name in cls.features.key:
        raise no(f"takes the key {name!r} for a feature.")
    if name == cls.target.column:
        raise no(f"has its target {name!r} among its columns.")
    if column.type not in TAKEN:
        raise no(f"has the column {name!r} of type {column.type}; a model takes {TAKEN}.")
    if column.type == "string" and column.nullable:
        raise no(f"has the text column {name!r}, which may be null.")
