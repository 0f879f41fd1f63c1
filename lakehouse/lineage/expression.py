"""The origin of a Catalyst expression, from the JSON that Spark writes of it.

An expression is a function of its children, so one that has no rule here is made of all of them.
Rules only tell more: what is taken as it is, what merely decides, which field of a struct is meant.
"""

from collections.abc import Iterator
from typing import Any

from lakehouse.lineage.origin import AGGREGATION, NOTHING, TRANSFORMATION, Origin, merged, struct

Node = dict[str, Any]
Scope = dict[int, Origin]

# The value itself, under another name.
SAME = {"Alias", "KnownNotNull", "KnownNullable", "Inline", "Explode"}
# One of its children, or a collection of them: fields of structs stay apart.
SHAPED = {
    "Coalesce", "NullIf", "CreateArray", "CollectList", "CollectSet", "First", "Last", "AnyValue",
    "Min", "Max", "MinBy", "MaxBy", "ArraySort", "SortArray", "ArrayDistinct", "Flatten",
    "ElementAt", "TryElementAt", "GetArrayItem", "GetMapValue", "CaseWhen", "If",
    "AggregateExpression",
    # What an expression calls by a name is one more child of it.
    "With", "CommonExpressionDef",
}  # fmt: skip
# Children that decide and are not in the value, by place.
DECIDE = {
    "If": (0,), "ElementAt": (1,), "GetArrayItem": (1,), "GetMapValue": (1,),
    "MinBy": (1,), "MaxBy": (1,), "AggregateExpression": (1,),
}  # fmt: skip
LOOKUPS = {"ElementAt", "GetMapValue"}
RANKS = {"Rank", "DenseRank", "PercentRank"}
# They hold a plan of their own, which is not read.
SUBQUERIES = {"ScalarSubquery", "Exists", "InSubquery", "ListQuery", "LateralSubquery"}


def name_of(node: Node) -> str:
    """Return the short class name of a node."""
    return str(node["class"]).rpartition(".")[2]


def tree(listed: list[Node]) -> Node:
    """Return nodes listed in pre-order, as Spark writes them, as a tree: children under `_`."""
    return _grown(iter(listed))


def _grown(nodes: Iterator[Node]) -> Node:
    node = next(nodes)
    return node | {"_": [_grown(nodes) for _ in range(node["num-children"])]}


def origin_of(node: Node, known: Scope) -> Origin:
    """Return the origin of an expression over columns whose origin is `known` by their id."""
    kind = name_of(node)
    if kind == "AttributeReference":
        missing = Origin(unknown=frozenset({f"the column {node['name']}"}))
        return known.get(node["exprId"]["id"], missing)
    if kind in SUBQUERIES:
        return Origin(unknown=frozenset({kind}))
    return _made(node, kind, [origin_of(child, known) for child in node["_"]])


def _made(node: Node, kind: str, told: list[Origin]) -> Origin:
    """Return the origin of an expression from those of its children."""
    match kind:
        case "CreateNamedStruct":
            names = [str(child.get("value")) for child in node["_"][::2]]
            return struct(zip(names, told[1::2], strict=True))
        case "GetStructField" | "GetArrayStructFields" if told[0].parts:
            return told[0].parts[node["ordinal"]][1]
        case "MapFromEntries" if told[0].parts:
            (_, key), (_, value) = told[0].parts
            return value.because([key], "CONDITIONAL")
        case "WindowExpression":
            return told[0].at_least(TRANSFORMATION).because(told[1:], "WINDOW")
        case _ if kind in RANKS:
            return NOTHING.because(told, "WINDOW")
        case _ if kind in SAME and len(told) == 1:
            return told[0]
    return _combined(kind, told)


def _combined(kind: str, told: list[Origin]) -> Origin:
    deciding = _deciding(kind, len(told))
    values = [one for place, one in enumerate(told) if place not in deciding]
    whys = [told[place] for place in deciding]
    if kind in LOOKUPS and all(one.is_empty for one in values):
        # Looked up among constants, a value is translated: it is what it was, in other words.
        values, whys = whys, []
    made = merged(values if kind in SHAPED else [one.flat() for one in values])
    if kind in ("Min", "Max") and made.parts:
        # Which row's struct it is, all of its fields decide.
        made = made.because([made.flat()], "CONDITIONAL")
    level = AGGREGATION if kind == "AggregateExpression" else TRANSFORMATION
    return made.at_least(level).because(whys, "CONDITIONAL")


def _deciding(kind: str, n_children: int) -> tuple[int, ...]:
    if kind == "CaseWhen":  # condition, value, condition, value …, else
        return tuple(range(0, 2 * (n_children // 2), 2))
    return tuple(place for place in DECIDE.get(kind, ()) if place < n_children)
