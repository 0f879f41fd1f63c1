"""What MLflow keeps of one training: inputs, measures, card and model, under one fingerprint."""

import hashlib
import inspect
import json
import tempfile
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from lakehouse import versions
from lakehouse.conf import Settings
from lakehouse.io import table_path
from lakehouse.model import Estimator, Figures, ModelSpec

BY_GROUP, CARD = "error_by_group.json", "card.md"


@dataclass(frozen=True)
class Plan:
    """What decides a version: the model's code, the versions of its tables, the date."""

    spec: type[ModelSpec]
    as_of: date
    inputs: dict[str, int]

    @cached_property
    def packages(self) -> dict[str, str]:
        return {name: metadata.version(name) for name in sorted({"mlflow", *self.spec.needs})}

    @cached_property
    def fingerprint(self) -> str:
        told = [self.spec.code_version(), self.packages, self.inputs, str(self.as_of)]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def keep(
    conf: Settings, plan: Plan, fitted: Estimator, figures: Figures, groups: list[dict[str, Any]]
) -> str:
    """Log a run with model, measures, inputs and card; register it as the candidate."""
    spec, mlflow = plan.spec, versions.mlflow_at(conf)
    experiment = _experiment(conf, spec.name)
    with (
        mlflow.start_run(experiment_id=experiment, run_name=f"{spec.name} {plan.as_of}") as run,
        tempfile.TemporaryDirectory() as folder,
    ):
        mlflow.log_params({"as_of": str(plan.as_of)} | spec.parameter_values())
        mlflow.log_params({f"version.{table}": number for table, number in plan.inputs.items()})
        mlflow.log_metrics({key: value for key, value in figures.items() if value is not None})
        mlflow.log_dict(groups, BY_GROUP)
        mlflow.log_text(card(spec), CARD)
        _log_inputs(conf, plan, mlflow)
        saved = Path(folder) / "model.json"
        fitted.save(saved)
        kept = mlflow.pyfunc.log_model(
            name=spec.name,
            python_model=str(Path(str(spec.part("predict").__file__))),
            artifacts={"model": str(saved)},
            signature=_signature(spec),
            input_example=_example(spec),
            pip_requirements=[f"{name}=={number}" for name, number in plan.packages.items()],
        )
    return _register(conf, plan, kept, run.info.run_id)


def _experiment(conf: Settings, name: str) -> str:
    """Return the id of the model's experiment, made on first use under the artifacts' root."""
    mlflow, root = versions.mlflow_at(conf), conf.get("mlflow", "artifacts")
    found = mlflow.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    place = root if "://" in root else Path(root).resolve().as_uri()
    return str(mlflow.create_experiment(name, artifact_location=f"{place.rstrip('/')}/{name}"))


def _log_inputs(conf: Settings, plan: Plan, mlflow: Any) -> None:
    """Name the tables read. MLflow's own digest hashes the query, so ours is the Delta version."""
    from mlflow.data.delta_dataset_source import DeltaDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    read: Any = MetaDataset  # Its annotations call it abstract; it is made to be used.
    for table, number in plan.inputs.items():
        path = table_path(conf.lake, table)
        source = DeltaDatasetSource(path=path, delta_table_version=number)
        mlflow.log_input(read(source, name=table, digest=f"v{number}"), context="training")


def _signature(spec: type[ModelSpec]) -> Any:
    """Return the declared columns as MLflow's signature: what a caller must bring."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    names = {kind: name for name, kind in versions.SPARK_TYPES.items()}
    types = spec.column_types().items()
    brought = Schema([ColSpec(names[kind], column) for column, kind in types])
    return ModelSignature(brought, Schema([ColSpec("double", "score")]))


def _example(spec: type[ModelSpec]) -> pd.DataFrame:
    """Return one row of declared examples: no row of anybody's is kept with a model."""
    kinds = {"int": "int32", "bigint": "int64", "boolean": "bool", "string": "object"}
    return pd.DataFrame(
        {
            column: pd.Series([spec.features.columns[column].example], dtype=kinds.get(kind, kind))
            for column, kind in spec.column_types().items()
        }
    )


def _register(conf: Settings, plan: Plan, kept: Any, run_id: str) -> str:
    """Register a logged model as the newest version, the candidate."""
    registry, name = versions.client(conf), plan.spec.name
    if not registry.search_registered_models(f"name = '{name}'"):
        registry.create_registered_model(name)
    registry.update_registered_model(name, card(plan.spec))
    tags = {"as_of": str(plan.as_of), "code_version": plan.spec.code_version()}
    tags |= {f"version.{table}": str(number) for table, number in plan.inputs.items()}
    made = registry.create_model_version(
        name, source=kept.model_uri, run_id=run_id, tags=tags, model_id=kept.model_id
    )
    registry.set_registered_model_alias(name, versions.CANDIDATE, made.version)
    return str(made.version)


def card(spec: type[ModelSpec]) -> str:
    """Return the model card: the docstring and what the declaration says."""
    return "\n\n".join(
        [
            f"# {spec.name}",
            inspect.cleandoc(spec.doc()),
            f"**Meant for.** {spec.use}",
            f"**Limits.** {spec.limits}",
            f"**Learns** {spec.target.table.name}.{spec.target.column} "
            f"**from** {spec.features.name}: {', '.join(spec.columns)}.",
            f"**Gate.** {spec.gate.measure} at least geography's + {spec.gate.over_geography} and "
            f"the champion's - {spec.gate.below_champion}, on held-out units.",
            f"**Owner.** {spec.owner}",
        ]
    )
