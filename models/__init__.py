"""Scoring models, one package each (see lakehouse/model.py)."""

import os

# Before any module here imports MLflow: it would report its use to its makers.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
