"""What the page tells of a trained model: its version, measures, gate, and errors by group."""

import math
from collections.abc import Mapping
from typing import Any

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


def facts(model: Mapping[str, Any]) -> Facts:
    """Return (label, text) of what is known, from what training told; nothing for nothing."""
    figures = {key: value for key, value in (model.get("figures") or {}).items() if _known(value)}
    told: Facts = []
    if model.get("name"):
        told.append(("模型", f"{model['name']}，第 {model.get('version', '?')} 版"))
    if "is_champion" in model:
        told.append(("准入", _gate(model)))
    for labels, form in ((NUMBERS, "{:.3f}"), (SHARES, "{:.1%}"), (COUNTS, "{:,.0f}")):
        told += [
            (label, form.format(figures[key])) for key, label in labels.items() if key in figures
        ]
    return told


def errors_by_group(model: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the errors of groups of households. Small groups come without errors: left out."""
    return [
        {"label": GROUPS[key], "n": row["n"],
         "exclusion": row.get("exclusion_error"), "inclusion": row.get("inclusion_error")}
        for row in model.get("groups") or []
        if (key := (row["group"], row["value"])) in GROUPS and "exclusion_error" in row
    ]  # fmt: skip


def _gate(model: Mapping[str, Any]) -> str:
    if model["is_champion"]:
        return "通过，现用"
    why = "；".join(model.get("why") or [])
    return f"未通过：{why}" if why else "通过，非现用"


def _known(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
