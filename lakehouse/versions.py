"""Versions of models in the MLflow registry: which one is champion, and how that changes.

Three aliases: `candidate` is the version trained last, `champion` the one that scores, `previous`
the champion before it. Every move leaves a line in the operations store, written before the move.
MLflow takes seconds to import, so it is imported where it is first needed.
"""

import logging
import os
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from lakehouse.conf import Settings
from lakehouse.errors import InputMissing
from lakehouse.ops import Ops

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion
    from pyspark.sql import Column

CANDIDATE, CHAMPION, PREVIOUS = "candidate", "champion", "previous"
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # A version would else keep whatever uv.lock lies in the working folder.
    "MLFLOW_UV_AUTO_DETECT": "false",
}
# Types of a signature as Spark has them.
SPARK_TYPES = {
    "integer": "int",
    "long": "bigint",
    "double": "double",
    "boolean": "boolean",
    "string": "string",
}


def mlflow_at(conf: Settings) -> Any:
    """Return the module mlflow, set to this profile's stores and to keep quiet."""
    os.environ.update(QUIET)
    import mlflow

    # Its own advice on every model and store; what goes wrong is raised all the same.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    uri = conf.get("mlflow", "tracking_uri")
    if (file := _sqlite_file(uri)) is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return mlflow


def client(conf: Settings) -> "MlflowClient":
    """Return a client of this profile's registry."""
    return mlflow_at(conf).MlflowClient()


def champion_version(conf: Settings, name: str) -> str | None:
    """Return the version that scores, or None where there is none yet. Needs no Spark."""
    return version_of(conf, name, CHAMPION)


def version_of(conf: Settings, name: str, alias: str) -> str | None:
    """Return the version that carries an alias, or None."""
    file = _sqlite_file(conf.get("mlflow", "tracking_uri"))
    if file is not None and not file.exists():
        return None  # Asking would make the store, which takes seconds.
    registry = client(conf)
    # Where there is no such model, asking for an alias of it raises; searching does not.
    found = registry.search_registered_models(f"name = '{name}'")
    version = found[0].aliases.get(alias) if found else None
    return None if version is None else str(version)


def version_with(conf: Settings, name: str, fingerprint: str) -> "ModelVersion | None":
    """Return the newest version that was trained and judged under a fingerprint, or None."""
    told = f"name = '{name}' and tags.fingerprint = '{fingerprint}'"
    found = client(conf).search_model_versions(told)
    return max(found, key=lambda one: int(one.version), default=None)


def load(conf: Settings, name: str, version: str) -> Any:
    """Return one version as MLflow loads it, with `predict` for rows in memory."""
    return mlflow_at(conf).pyfunc.load_model(f"models:/{name}/{version}")


# -- moves ---------------------------------------------------------------------------------


def promote(conf: Settings, name: str, version: str, figures: dict[str, Any]) -> None:
    """Make a version champion, and the champion so far previous."""
    before = champion_version(conf, name)
    Ops(conf).record_model_event(
        name, "promoted", version, champion_before=before, figures=figures, why="the gate holds"
    )
    _move(client(conf), name, champion=version, previous=before)


def refuse(conf: Settings, name: str, version: str, figures: dict[str, Any], why: str) -> None:
    """Record that a version did not pass the gate; nothing moves."""
    before = champion_version(conf, name)
    Ops(conf).record_model_event(
        name, "refused", version, champion_before=before, figures=figures, why=why
    )


def rollback(conf: Settings, name: str) -> str:
    """Make the previous champion champion again and return its version.

    The two change places, so that a second rollback undoes the first. Raises InputMissing where
    there is no champion before the present one.
    """
    before, version = champion_version(conf, name), version_of(conf, name, PREVIOUS)
    if version is None:
        raise InputMissing(
            f"The model {name} has no champion before the present one ({before or 'none'}): there "
            f"is nothing to go back to."
        )
    Ops(conf).record_model_event(
        name, "rolled_back", version, champion_before=before, why="asked for"
    )
    _move(client(conf), name, champion=version, previous=before)
    return version


def _move(registry: "MlflowClient", name: str, *, champion: str, previous: str | None) -> None:
    """Set the two aliases; stopped in between, the champion is still the one before."""
    if previous not in (None, champion):
        registry.set_registered_model_alias(name, PREVIOUS, previous)
    registry.set_registered_model_alias(name, CHAMPION, champion)


# -- scoring -------------------------------------------------------------------------------


class Scorer:
    """One version of a model, as a job meets it: its number, and its score as a Column.

    The columns and types that it reads are those of the version's own signature, so a champion
    goes on scoring as it was trained whatever the declaration says by now.
    """

    def __init__(self, conf: Settings, name: str, version: str) -> None:
        self.conf, self.name, self.version = conf, name, version

    @cached_property
    def uri(self) -> str:
        return f"models:/{self.name}/{self.version}"

    def prediction(self) -> "Column":
        """Return the score of the row at hand, worked out where the row is.

        Raises InputMissing where a package is here in another major version than in training.
        """
        from pyspark.sql import SparkSession
        from pyspark.sql import functions as F

        mlflow = mlflow_at(self.conf)
        self._check_packages(mlflow)
        inputs = mlflow.models.get_model_info(self.uri).signature.inputs.inputs
        spark = SparkSession.active()
        # Workers import MLflow too, before any setting that it would pass them itself.
        spark.sparkContext.environment.update(QUIET)
        score = mlflow.pyfunc.spark_udf(spark, self.uri, result_type="double", env_manager="local")
        return score(*(F.col(one.name).cast(SPARK_TYPES[one.type.name]) for one in inputs))

    def _check_packages(self, mlflow: Any) -> None:
        """Hold the packages here against those that the version was trained with."""
        listed = Path(mlflow.pyfunc.get_model_dependencies(self.uri)).read_text("utf-8")
        for line in listed.split():
            package, _, trained = line.partition("==")
            here = metadata.version(package)
            if here.split(".")[0] != trained.split(".")[0]:
                raise InputMissing(
                    f"{self.name} {self.version} was trained with {package} {trained}, here is "
                    f"{here}: scores could differ. `bangfu train {self.name}` trains it anew."
                )


def _sqlite_file(uri: str) -> Path | None:
    url = sa.make_url(uri) if uri.startswith("sqlite") else None
    return Path(url.database) if url is not None and url.database else None
