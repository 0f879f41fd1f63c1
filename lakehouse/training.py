"""Training: read the sample, fit, judge on held-out units, keep the version, settle the gate.

What this module knows of a model is its declaration. Reading is Spark's work; the sample is then
small enough for one process, and nothing of it but counts and measures is kept.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from lakehouse import versions
from lakehouse.conf import Settings
from lakehouse.errors import DeclarationError, InputMissing, UsageError
from lakehouse.io import newest_version, table_path
from lakehouse.model import Figures, ModelSpec, model_spec
from lakehouse.model_log import BY_GROUP, Plan, keep

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

    from lakehouse.run import House

HELD_OUT_OF_100 = 30
# A sample; more would be a census, which is not for one process.
MOST_ROWS = 200_000


@dataclass(frozen=True)
class Sample:
    """What a model learns from and is judged by.

    `rows` has a row per sampled unit, ordered by unit: the unit, target, weight, place, groups
    and features. `quota` is the share of units that are chosen.
    """

    rows: "pd.DataFrame"
    quota: float
    n_unmatched: int = 0


@dataclass(frozen=True)
class Trained:
    """One version: its measures on held-out units, and what the gate said.

    `geography.auc` is what the place alone reaches, `champion.auc` the champion of that time, on
    the same units. `why` is empty where the gate held.
    """

    name: str
    version: str
    as_of: date
    figures: Figures
    groups: list[dict[str, Any]]
    why: list[str]
    is_new: bool
    is_champion: bool


def train(house: "House", name: str, as_of: date) -> Trained:
    """Train one model as of a date; the same code, tables and date give the version there is."""
    spec = model_spec(name)
    plan = Plan(spec, as_of, _inputs(house.conf, spec))
    if (known := _known(house.conf, plan)) is not None:
        return known
    with house.lake.lock(f"model.{name}"):
        # Another process may have trained while this one waited.
        return _known(house.conf, plan) or learn(house.conf, plan, read(house, plan))


def is_held_out(unit: str) -> bool:
    """Tell whether a unit is held out from fitting: by the hash of its token, for all models."""
    return int(hashlib.sha256(unit.encode()).hexdigest(), 16) % 100 < HELD_OUT_OF_100


def read(house: "House", plan: Plan) -> Sample:
    """Read the sampled units with their features, and the quota. Only they reach this process."""
    from pyspark.sql import functions as F

    spec, unit = plan.spec, plan.spec.unit()
    features = _rows(house, plan, spec.features.name)
    if spec.features.partition:
        features = features.where(F.col(spec.features.partition) == F.lit(plan.as_of))
    target = (
        _rows(house, plan, spec.target.table.name)
        .where(spec.target_where(plan.as_of))
        .select(unit, spec.target.column, spec.target.weight)
    )
    n_sampled = target.count()
    if n_sampled > MOST_ROWS:
        raise UsageError(
            f"model.{spec.name} has {n_sampled:,} rows to learn from; a sample has up to "
            f"{MOST_ROWS:,}."
        )
    types = spec.column_types()
    plain = [name for name in dict.fromkeys([unit, spec.place, *spec.groups]) if name not in types]
    typed = [F.col(name).cast(kind).alias(name) for name, kind in types.items()]
    rows = (
        features.select(*plain, *typed)
        .join(F.broadcast(target), unit, how="inner")
        .toPandas()
        .sort_values(unit, ignore_index=True)
    )
    if not rows[unit].is_unique:
        raise DeclarationError(
            f"model.{spec.name} has a target with several rows per {unit}: {spec.target.where}"
        )
    return Sample(rows, _quota(house, plan, features), n_sampled - len(rows))


def learn(conf: Settings, plan: Plan, sample: Sample) -> Trained:
    """Fit, judge and keep one new version, and make it champion if the gate holds."""
    spec, params = plan.spec, plan.spec.parameter_values()
    is_held = sample.rows[spec.unit()].map(is_held_out).astype(bool)
    fitting, held = (sample.rows[side].reset_index(drop=True) for side in (~is_held, is_held))
    if fitting.empty or held.empty:
        raise InputMissing(
            f"model.{spec.name} has {len(fitting)} rows to fit and {len(held)} to be judged by: "
            f"is there a row in {spec.target.table.name} for {plan.as_of}?"
        )
    estimator = spec.part("fit").fit(fitting, params)
    judge, guess = spec.part("judge"), estimator.predict(held)
    own = judge.judge(held, guess, sample.quota)
    geography = judge.judge(held, judge.geography(fitting, held, params), sample.quota)
    champion = _champions(conf, spec, held, sample.quota)
    why = spec.gate.closed_by(own, geography, champion)
    figures = _figures(own, geography=geography, champion=champion or {}) | {
        "quota": sample.quota,
        "n_fitted": len(fitting),
        "n_held_out": len(held),
        "n_unmatched": sample.n_unmatched,
    }
    groups = judge.by_group(held, guess, sample.quota, spec.groups)
    version = keep(conf, plan, estimator, figures, groups)
    if why:
        versions.refuse(conf, spec.name, version, figures, "; ".join(why))
    else:
        versions.promote(conf, spec.name, version, figures)
    # Last: a version without it was stopped on its way, and is trained anew.
    tags = {"gate": "; ".join(why) or "holds", "fingerprint": plan.fingerprint}
    for key, value in tags.items():
        versions.client(conf).set_model_version_tag(spec.name, version, key, value)
    return Trained(spec.name, version, plan.as_of, figures, groups, why, True, not why)


def _inputs(conf: Settings, spec: type[ModelSpec]) -> dict[str, int]:
    """Return the Delta version of each table that training reads. Raises InputMissing."""
    inputs = {}
    for table in spec.tables():
        version = newest_version(table_path(conf.lake, table))
        if version is None:
            raise InputMissing(
                f"model.{spec.name} needs {table}, which has not been made yet. `bangfu plan "
                f"{table}` shows the way."
            )
        inputs[table] = version
    return inputs


def _known(conf: Settings, plan: Plan) -> Trained | None:
    """Return the version that was trained under the plan's fingerprint, if there is one."""
    found = versions.version_with(conf, plan.spec.name, plan.fingerprint)
    if found is None:
        return None
    mlflow = versions.mlflow_at(conf)
    return Trained(
        name=plan.spec.name,
        version=str(found.version),
        as_of=plan.as_of,
        figures=dict(mlflow.get_run(found.run_id).data.metrics),
        groups=mlflow.artifacts.load_dict(f"runs:/{found.run_id}/{BY_GROUP}"),
        why=[] if found.tags["gate"] == "holds" else found.tags["gate"].split("; "),
        is_new=False,
        is_champion=versions.champion_version(conf, plan.spec.name) == str(found.version),
    )


def _rows(house: "House", plan: Plan, table: str) -> "DataFrame":
    return house.lake.read(table, plan.inputs[table])


def _quota(house: "House", plan: Plan, features: "DataFrame") -> float:
    """Return the share of the units of the features that are listed. Raises InputMissing."""
    spec, unit = plan.spec, plan.spec.unit()
    listed = _rows(house, plan, spec.quota.table.name).where(spec.quota_where(plan.as_of))
    n_listed = features.join(listed.select(unit), unit, how="left_semi").count()
    n_units = features.count()
    if not n_listed:
        raise InputMissing(
            f"model.{spec.name} takes its quota from {spec.quota.table.name}, which lists none of "
            f"the {n_units:,} of {spec.features.name} on {plan.as_of}."
        )
    return n_listed / n_units


def _figures(own: Figures, **others: Figures) -> Figures:
    """Return one list of measures, those of others under their name."""
    told = {
        f"{whose}.{measure}": value
        for whose, figures in others.items()
        for measure, value in figures.items()
    }
    return own | told


def _champions(
    conf: Settings, spec: type[ModelSpec], held: "pd.DataFrame", quota: float
) -> Figures | None:
    """Return the champion's measures on the held-out units; None without one that can score them.

    A champion that misses a column has nothing to be held against: the features have changed.
    """
    version = versions.champion_version(conf, spec.name)
    if version is None:
        return None
    champion = versions.load(conf, spec.name, version)
    if not set(champion.metadata.get_input_schema().input_names()) <= set(held.columns):
        return None
    return dict(spec.part("judge").judge(held, champion.predict(held), quota))
