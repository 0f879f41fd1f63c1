"""What a page tells of a model: its version, measures, gate, and errors by group."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.pages import words
from lakehouse import versions
from lakehouse.conf import Settings
from lakehouse.model import Gate, model_names, model_spec

Facts = list[tuple[str, str]]

SHARES = {
    "quota": "配额（按名册占全部户）",
    "exclusion_error": "漏识率（留出户）",
    "inclusion_error": "误纳率（留出户）",
}
NUMBERS = {
    "auc": "AUC（留出户）",
    "geography.auc": "只凭所在地的 AUC",
    "champion.auc": "上一版的 AUC",
    "spearman": "Spearman 秩相关",
}
COUNTS = {"n_fitted": "拟合户数", "n_held_out": "留出户数"}
GROUPS = {
    ("is_minority", "true"): "有少数民族成员的户",
    ("is_minority", "false"): "其他户（民族）",
    ("is_head_female", "true"): "女户主",
    ("is_head_female", "false"): "男户主",
}
WHOSE = {"geography": "只凭所在地", "the champion": "现用版"}


@dataclass(frozen=True)
class Card:
    """One version of a model, as the registry of models knows it now.

    `refused` says why the version trained last did not become champion, if it did not.
    """

    name: str
    version: str
    as_of: str
    is_champion: bool
    gate: Gate
    figures: Mapping[str, float]
    groups: list[dict[str, Any]]
    candidate: str | None = None
    refused: str = ""


def cards(conf: Settings) -> list[Card]:
    """Return the champion of each model; where there is none, the version trained last."""
    told = (_card(conf, name) for name in model_names())
    return [card for card in told if card]


def _card(conf: Settings, name: str) -> Card | None:
    champion = versions.champion_version(conf, name)
    candidate = versions.version_of(conf, name, versions.CANDIDATE)
    version = champion or candidate
    if version is None:
        return None
    registry = versions.client(conf)
    found = registry.get_model_version(name, version)
    newest = registry.get_model_version(name, candidate) if candidate else found
    gate = newest.tags.get("gate", "holds")
    return Card(
        name=name,
        version=version,
        as_of=found.tags.get("as_of", ""),
        is_champion=version == champion,
        gate=model_spec(name).gate,
        figures=registry.get_run(found.run_id).data.metrics if found.run_id else {},
        groups=_groups(conf, found.run_id),
        candidate=candidate,
        refused="" if gate == "holds" else _in_words(gate),
    )


def _groups(conf: Settings, run_id: str | None) -> list[dict[str, Any]]:
    """Return the errors by group that training kept; none where its files have moved."""
    from lakehouse.model_log import BY_GROUP

    mlflow = versions.mlflow_at(conf)
    try:
        kept: list[dict[str, Any]] = mlflow.artifacts.load_dict(f"runs:/{run_id}/{BY_GROUP}")
    except (mlflow.exceptions.MlflowException, OSError):
        return []
    return kept


def facts(card: Card, scored_by: list[str]) -> Facts:
    """Return (label, text) of what is known of a version, and which one scored the date."""
    figures = {key: value for key, value in card.figures.items() if math.isfinite(value)}
    told: Facts = [
        ("模型", f"{words.MODELS.get(card.name, card.name)}（{card.name}），第 {card.version} 版"),
        ("训练所据日期", card.as_of or "—"),
        ("准入", _gate(card)),
        ("准入条件", f"AUC ≥ 只凭所在地 + {card.gate.over_geography:g}，"
                     f"且 ≥ 现用版 − {card.gate.below_champion:g}"),
    ]  # fmt: skip
    for labels, form in ((NUMBERS, "{:.3f}"), (SHARES, "{:.1%}"), (COUNTS, "{:,.0f}")):
        told += [
            (label, form.format(figures[key])) for key, label in labels.items() if key in figures
        ]
    scored = "、".join(f"第 {version} 版" for version in scored_by)
    return [*told, ("本期得分所用版本", scored or "本期没有得分")]


def errors_by_group(card: Card) -> list[dict[str, Any]]:
    """Return the errors of groups of households. Small groups come without errors: left out."""
    return [
        {"label": GROUPS[key], "n": row["n"],
         "exclusion": row.get("exclusion_error"), "inclusion": row.get("inclusion_error")}
        for row in card.groups
        if (key := (row["group"], row["value"])) in GROUPS and "exclusion_error" in row
    ]  # fmt: skip


def _in_words(why: str) -> str:
    """Put what a gate says into words: `auc 0.8412 is below geography's 0.8000 +0.0500`."""
    told = re.sub(
        r"(\w+) (\d\.\d+) is below (geography|the champion)'s (\d\.\d+) ([+-]\d\.\d+)",
        lambda found: f"{found[1].upper()} {found[2]} 低于{WHOSE[found[3]]} {found[4]} {found[5]}",
        why,
    )
    return told.replace("; ", "；")


def _gate(card: Card) -> str:
    if not card.is_champion:
        return f"未通过：{card.refused}" if card.refused else "通过，非现用"
    if card.refused and card.candidate != card.version:
        return f"通过，现用；其后第 {card.candidate} 版未通过：{card.refused}"
    return "通过，现用"
