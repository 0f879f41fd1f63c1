"""Which columns of its inputs each column of a frame is made of: read, not declared.

Spark's analysed plan knows every column by an id that stays the same from where it is made to
where it is used. The plan comes over as one JSON; nothing runs. Its leaves are tables, told by
the alias that the reader gives them. What is not understood is said to be unknown.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.lineage.expression import Node, Scope, name_of, origin_of, tree
from lakehouse.lineage.origin import IDENTITY, NOTHING, Origin, Source, merged

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# One column that a node of a plan gives: its id, its name and its origin.
Given = tuple[int, str, Origin]

SAME_ROWS = {
    "SubqueryAlias", "ResolvedHint", "GlobalLimit", "LocalLimit", "Repartition", "Sample",
    "RepartitionByExpression", "RebalancePartitions",
}  # fmt: skip
# Nodes that keep some rows, or order them: by which of their expressions, and what that is called.
KEEPS = {
    "Filter": ("condition", "FILTER"),
    "Sort": ("order", "SORT"),
    "Deduplicate": ("keys", "GROUP_BY"),
}
# In JSON each branch of a CASE stands twice, so what is nested n deep stands 2^n times.
DEEPEST_CASE = 9


@dataclass(frozen=True)
class Columns:
    """The origin of each column, and of which rows there are (filters, joins, groups, order)."""

    of: dict[str, Origin]
    rows: Origin


def columns_of(frame: "DataFrame", tables: Collection[str]) -> Columns:
    """Return what the columns of a frame are made of, its leaves being `tables`.

    Costs one call to the JVM and no Spark job. Raises whatever a Spark without a classic session,
    or of another version, raises: callers say then that nothing is known.
    """
    plan = frame._jdf.queryExecution().analyzed()
    if case_depth(plan.treeString(True, False, 1 << 20, False, False)) > DEEPEST_CASE:
        told = Origin(unknown=frozenset({"CASE nested deeper than is read"}))
        return Columns(dict.fromkeys(frame.columns, told), told)
    nodes = json.loads(plan.toJSON())
    for place, node in enumerate(nodes):
        if name_of(node) == "Expand":
            node["projections"] = _projections(plan.apply(place))
    return read(nodes, tables)


def read(nodes: list[Node], tables: Collection[str]) -> Columns:
    """Return what the columns of a plan are made of, from the nodes that Spark writes of it."""
    reader = _Reader(tables)
    given = reader.given(tree(nodes))
    return Columns({name: origin for _, name, origin in given}, reader.rows)


def case_depth(text: str) -> int:
    """Return how deep CASE is nested in the text of a plan."""
    deepest = depth = 0
    for line in text.splitlines():
        depth = 0
        for word in line.replace("(", " ").replace(")", " ").replace(",", " ").split():
            depth += (word == "CASE") - (word == "END")
            deepest = max(deepest, depth)
    return deepest


def _projections(expand: Any) -> list[list[list[Node]]] | None:
    """Return the rows that an Expand makes of one: its JSON leaves them out."""
    if expand.nodeName() != "Expand":
        return None
    rows = [expand.projections().apply(n) for n in range(expand.projections().size())]
    return [[json.loads(row.apply(n).toJSON()) for n in range(row.size())] for row in rows]


class _Reader:
    """Goes through one plan from its leaves up."""

    def __init__(self, tables: Collection[str]) -> None:
        self.tables = tables
        self.rows = NOTHING

    def given(self, node: Node) -> list[Given]:
        """Return the columns that a node of the plan gives."""
        kind, children = name_of(node), [self.given(child) for child in node["_"]]
        below = [column for child in children for column in child]
        known = {at: origin for at, _, origin in below}
        match kind:
            case "SubqueryAlias" if (table := node["identifier"]["name"]) in self.tables:
                return [(at, name, _taken((table, name))) for at, name, _ in below]
            case "Project":
                return self._named(node["projectList"], known)
            case "Aggregate":
                self._rows_by(node["groupingExpressions"], known, "GROUP_BY")
                return self._named(node["aggregateExpressions"], known)
            case "Window":
                return below + self._named(node["windowExpressions"], known)
            case "Join":
                return self._joined(node, known, *children)
            case "Generate":
                return below + self._generated(node, known)
            case "Expand":
                return self._expanded(node, known)
            case "Union":
                return _either(children)
        if not children:
            unread = Origin(unknown=frozenset({kind}))
            return [(at, name, unread) for at, name, _ in _attributes(node.get("output") or [])]
        self._kept(node, kind, known)
        return below

    def _kept(self, node: Node, kind: str, known: Scope) -> None:
        """Note what decides which rows a node keeps, that gives the columns below it."""
        if kind in KEEPS:
            word, subtype = KEEPS[kind]
            listed = node[word]
            self._rows_by(listed if isinstance(listed[0], list) else [listed], known, subtype)
        elif kind == "Distinct":
            self._decide(known.values(), "GROUP_BY")
        elif kind not in SAME_ROWS:
            # What has an id from below is that column still; which rows are left is not known.
            self._decide([Origin(unknown=frozenset({kind}))], "FILTER")

    def _named(self, listed: list[list[Node]], known: Scope) -> list[Given]:
        """Return the columns that a list of named expressions makes."""
        heads = [expression[0] for expression in listed]
        origins = _origins(listed, known)
        return [
            (head["exprId"]["id"], head["name"], origin)
            for head, origin in zip(heads, origins, strict=True)
        ]

    def _rows_by(self, listed: Iterable[list[Node]], known: Scope, subtype: str) -> list[Origin]:
        """Note that expressions decide which rows there are; return their origins."""
        origins = _origins(listed, known)
        self._decide(origins, subtype)
        return origins

    def _decide(self, origins: Iterable[Origin], subtype: str) -> None:
        self.rows = self.rows.because(origins, subtype)

    def _joined(
        self, node: Node, known: Scope, left: list[Given], right: list[Given]
    ) -> list[Given]:
        """Return the columns of a join; those of a side that may be missing are looked up."""
        how = str(node["joinType"].get("object") or node["joinType"]).rpartition(".")[2]
        condition = [node["condition"]] if node.get("condition") else []
        why = self._rows_by(condition, known, "JOIN")

        def looked_up(side: list[Given]) -> list[Given]:
            return [(at, name, origin.because(why, "JOIN")) for at, name, origin in side]

        if "LeftSemi" in how or "LeftAnti" in how:
            return left
        if "LeftOuter" in how or "FullOuter" in how:
            right = looked_up(right)
        if "RightOuter" in how or "FullOuter" in how:
            left = looked_up(left)
        return left + right

    def _generated(self, node: Node, known: Scope) -> list[Given]:
        """Return the columns of an explode or inline: the fields of its structs, or all of it."""
        [origin] = _origins([node["generator"]], known)
        is_fixed = any(name_of(one) == "CreateArray" for one in node["generator"][:2])
        if not is_fixed:
            self._decide([origin], "FILTER")
        columns = _attributes(node["generatorOutput"])
        parts = [part for _, part in origin.parts]
        if name_of(node["generator"][0]) != "Inline" or len(parts) != len(columns):
            parts = [origin] * len(columns)
        return [(at, name, part) for (at, name, _), part in zip(columns, parts, strict=True)]

    def _expanded(self, node: Node, known: Scope) -> list[Given]:
        """Return the columns of an unpivot or rollup: each is one of several expressions."""
        columns = _attributes(node["output"])
        if not node["projections"]:
            return [(at, name, Origin(unknown=frozenset({"Expand"}))) for at, name, _ in columns]
        rows = [_origins(row, known) for row in node["projections"]]
        return [
            (at, name, merged(one))
            for (at, name, _), one in zip(columns, zip(*rows, strict=True), strict=True)
        ]


def _origins(listed: Iterable[list[Node]], known: Scope) -> list[Origin]:
    return [origin_of(tree(one), known) for one in listed]


def _taken(source: Source) -> Origin:
    return Origin({source: IDENTITY})


def _attributes(listed: list[list[Node]]) -> list[Given]:
    return [(one[0]["exprId"]["id"], one[0]["name"], NOTHING) for one in listed]


def _either(children: list[list[Given]]) -> list[Given]:
    """Return the columns of a union, which go by the ids of its first part."""
    return [
        (same[0][0], same[0][1], merged(origin for _, _, origin in same))
        for same in zip(*children, strict=True)
    ]
