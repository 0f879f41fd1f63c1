"""What may be asked: one statement that only reads, judged by DuckDB's own parse tree.

Everything is allowed by name, nothing by default: a kind of node, table or table function that is
not listed here is refused before anything runs. A text that DuckDB cannot show as the tree of a
SELECT is refused as well. Note that WITH may hold INSERT or COPY: both are nodes of their own.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from lakehouse.errors import UsageError

ONLY_READS = "`bangfu sql` only reads: ask with SELECT, WITH, FROM, DESCRIBE, SUMMARIZE or EXPLAIN."
QUERY_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"}
TABLE_NODES = {"BASE_TABLE", "JOIN", "SUBQUERY", "EXPRESSION_LIST", "EMPTY", "TABLE_FUNCTION",
               "PIVOT", "SHOW_REF"}  # fmt: skip
TABLE_FUNCTIONS = {"range", "generate_series", "unnest", "repeat", "json_each", "json_tree"}
# Functions that tell of the engine, take SQL as text, put values into messages, or just wait.
REFUSED_FUNCTIONS = {
    "assert_true", "current_connection_id", "current_query", "current_query_id",
    "current_setting", "current_transaction_id", "currval", "error", "getenv", "getvariable",
    "in_search_path", "json_deserialize_sql", "json_execute_serialized_sql",
    "json_serialize_plan", "nextval", "parse_duckdb_log_message", "setseed", "setval",
    "sleep_ms", "stats", "txid_current", "vector_type", "write_log",
}  # fmt: skip
REFUSED_PREFIXES = ("__", "pg_", "inet_", "has_", "duckdb_", "pragma_", "read_", "write_")
NO_PLACE = 2**64 - 1


@dataclass(frozen=True)
class Named:
    """A table as the text names it: the parts of its name, and where it stands (bytes)."""

    parts: tuple[str, ...]
    at: int | None
    length: int

    @property
    def text(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True)
class Question:
    """A text that may be run, and the tables that it names."""

    text: str
    named: tuple[Named, ...]


def read_question(engine: duckdb.DuckDBPyConnection, sql: str) -> Question:
    """Return the question that a text asks. Raises UsageError where it is none, or does more."""
    kind = _kind(engine, sql)
    if kind == "SELECT":
        return Question(sql, tuple(_named(_tree(engine, sql, kind), sql)))
    if kind == "EXPLAIN":
        word, rest = _explained(sql)
        # Run is what was judged, put together anew: not the text as it came.
        return Question(f"{word} {rest}", tuple(_named(_tree(engine, rest, kind), rest)))
    if kind == "MULTI":
        raise UsageError("PIVOT has to say its columns: `PIVOT … ON x IN ('a', 'b') USING …`.")
    raise UsageError(f"{kind} is refused. {ONLY_READS}")


def _kind(engine: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return the kind of the one statement that a text holds."""
    if "\0" in sql:
        raise UsageError("The text holds a null character.")
    try:
        found = engine.extract_statements(sql)
        kinds = [str(one.type).rpartition(".")[2] for one in found]
    except duckdb.Error as error:
        raise UsageError(str(error)) from None
    except ValueError:  # a kind that the client has no name for
        raise UsageError(f"This statement is refused. {ONLY_READS}") from None
    if len(kinds) != 1:
        what = f"{len(kinds)} statements" if kinds else "no statement"
        raise UsageError(f"The text holds {what}: ask one at a time.")
    return kinds[0]


def _explained(sql: str) -> tuple[str, str]:
    """Split EXPLAIN [ANALYZE] off; what follows is left to be judged."""
    coded = sql.encode()
    starts = [at for at, kind in duckdb.tokenize(sql) if kind != duckdb.token_type.comment]
    words = [_word(coded, at) for at in starts[:2]]
    n_words = 2 if words[1:] == ["ANALYZE"] else 1
    if not words or words[0] != "EXPLAIN" or len(starts) <= n_words:
        raise UsageError("Write EXPLAIN or EXPLAIN ANALYZE, without options.")
    return " ".join(words[:n_words]), coded[starts[n_words] :].decode()


def _word(coded: bytes, at: int) -> str:
    found = re.match(rb"[A-Za-z]+", coded[at:])
    return found[0].decode().upper() if found else ""


def _tree(engine: duckdb.DuckDBPyConnection, sql: str, kind: str) -> Any:
    try:
        found = engine.execute("SELECT json_serialize_sql($1)", [sql]).fetchall()
        tree = json.loads(found[0][0])
    except RecursionError:
        raise UsageError("The query is nested too deeply: split it with WITH.") from None
    if tree["error"] or len(tree["statements"]) != 1:
        what = "EXPLAIN of anything but a SELECT" if kind == "EXPLAIN" else "This statement"
        raise UsageError(f"{what} is refused. {ONLY_READS}")
    return tree["statements"][0]["node"]


def _named(tree: Any, sql: str) -> Iterator[Named]:
    try:
        yield from _walk(tree, frozenset(), sql)
    except RecursionError:
        raise UsageError("The query is nested too deeply: split it with WITH.") from None


def _walk(node: Any, ctes: frozenset[str], sql: str) -> Iterator[Named]:
    """Yield the tables that a tree names and no WITH in sight defines; refuse what is not known.

    A name of WITH is in sight of what comes after it, and of itself only where it is recursive:
    elsewhere the same name could mean a table of the engine's own.
    """
    if isinstance(node, list):
        for one in node:
            yield from _walk(one, ctes, sql)
    if not isinstance(node, dict):
        return
    _refuse_unknown(node, sql)
    if node.get("type") == "RECURSIVE_CTE_NODE":
        ctes |= {node["cte_name"].lower()}
    for entry in (node.get("cte_map") or {}).get("map", []):
        yield from _walk(entry["value"], ctes, sql)
        ctes |= {entry["key"].lower()}
    if node.get("type") == "BASE_TABLE":
        parts = tuple(node["qualified_name"]["path"])
        if len(parts) > 1 or parts[0].lower() not in ctes:
            yield Named(parts, *_place(node, sql, parts[-1]))
    for key, value in node.items():
        if key != "cte_map":
            yield from _walk(value, ctes, sql)


def _refuse_unknown(node: dict[str, Any], sql: str) -> None:
    kind, place = node.get("type"), _place(node, sql)
    if "class" in node:
        if "function_name" in node:
            _refuse_function(node["function_name"].lower(), place, sql)
        if node["class"] == "PARAMETER":
            raise UsageError("There is no value for a parameter." + pointed(sql, *place))
        return
    is_query = "cte_map" in node
    if is_query and kind not in QUERY_NODES:
        word = str(kind).partition("_")[0]
        raise UsageError(f"{word} inside WITH is refused. {ONLY_READS}")
    if "sample" in node and not is_query and kind not in TABLE_NODES:
        raise UsageError(f"{kind} is refused.{pointed(sql, *place)}")
    if kind == "TABLE_FUNCTION":
        name = node["function"]["function_name"].lower()
        if name not in TABLE_FUNCTIONS:
            raise UsageError(
                f"The table function {name} is refused: there are the tables of `bangfu tables`, "
                f"and {', '.join(sorted(TABLE_FUNCTIONS))}.{pointed(sql, *place)}"
            )
    if kind == "SHOW_REF" and not (node["show_type"] in ("DESCRIBE", "SUMMARY") and node["query"]):
        raise UsageError(
            "SHOW is refused: `bangfu tables` lists the tables, `DESCRIBE gold.poverty_by_area` "
            "tells the columns of one."
        )


def _refuse_function(name: str, place: tuple[int | None, int], sql: str) -> None:
    if name in REFUSED_FUNCTIONS or name.startswith(REFUSED_PREFIXES):
        raise UsageError(f"The function {name} is refused.{pointed(sql, *place)}")


def _place(node: dict[str, Any], sql: str, name: str = "") -> tuple[int | None, int]:
    at, length = node.get("query_location", NO_PLACE), node.get("query_location_length", 0)
    if at != NO_PLACE:
        return at, length
    found = sql.encode().find(name.encode()) if name else -1
    return (found, len(name.encode())) if found >= 0 else (None, 0)


def pointed(sql: str, at: int | None, length: int = 1) -> str:
    """Return the line of a text that holds the byte `at`, with a caret under the place."""
    coded = sql.encode()
    if at is None or at > len(coded):
        return ""
    before = coded[:at].decode(errors="replace")
    start = before.rfind("\n") + 1
    line = sql[start:].split("\n", 1)[0]
    head = f"LINE {before.count(chr(10)) + 1}: "
    marked = coded[at : at + max(length, 1)].decode(errors="replace").split("\n", 1)[0]
    caret = " " * (len(head) + _width(before[start:])) + "^" * max(_width(marked), 1)
    return f"\n\n{head}{line}\n{caret}"


def _width(text: str) -> int:
    """Return the columns that a text takes in a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
