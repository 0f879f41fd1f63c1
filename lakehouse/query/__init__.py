"""Read-only SQL over silver and gold: `from lakehouse.query import Query`. See docs/query.md."""

from lakehouse.query.query import Answer, Limits, Query

__all__ = ["Answer", "Limits", "Query"]
