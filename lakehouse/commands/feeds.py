"""`bangfu feeds`: which deliveries are known, and how each is read."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.commands import AsJson, print_json, print_table

if TYPE_CHECKING:
    from lakehouse.feed import Feed, Field


def feeds(
    name: Annotated[str | None, typer.Argument(help="One feed; all where left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the deliveries that are known (投递类别), from their mappings, and check these.

    A mistake in a mapping is told with its file, key and the nearest word. See docs/feeds.md.

    Examples: `bangfu feeds`, `bangfu feeds person_register`, `bangfu feeds --feeds my_feeds`
    """
    from lakehouse.feed import feed as one_feed
    from lakehouse.registry import registry

    if name:
        _tell_one(one_feed(name), as_json)
        return
    known = registry()
    told = [
        {
            "feed": feed.name,
            "title": feed.title,
            "source": feed.source,
            "format": f"{feed.format}, {feed.encoding}",
            "comes": f"{feed.extent}, by {feed.every}",
            "read_by": [table for table in known.jobs if _bronze_of(feed) in known.inputs(table)],
        }
        for feed in known.feeds.values()
    ]
    if as_json:
        print_json(told)
        return
    shown = [one | {"read_by": ", ".join(one["read_by"])} for one in told]
    heads = {"feed": "feed", "title": "title", "source": "source", "format": "written as",
             "comes": "comes", "read_by": "becomes"}  # fmt: skip
    print_table("Feeds", shown, heads)


def _bronze_of(feed: "Feed") -> str:
    """Return the bronze table under which jobs read a feed."""
    return f"bronze.{feed.onto or feed.name}"


def _tell_one(feed: "Feed", as_json: bool) -> None:
    told: dict[str, Any] = {
        "feed": feed.name, "title": feed.title, "source": feed.source, "onto": feed.onto,
        "format": feed.format, "encoding": feed.encoding, "sheet": feed.sheet,
        "extent": feed.extent, "every": feed.every, "datum": feed.datum,
        "columns": [_column(field) for field in feed.fields.values()],
    }  # fmt: skip
    if as_json:
        print_json(told)
        return
    print(f"{feed.name}  {feed.title}")
    facts = {key: value for key, value in told.items() if key != "columns" and value}
    print("  " + "; ".join(f"{key} {value}" for key, value in list(facts.items())[2:]))
    print_table("", told["columns"], {"column": "column", "head": "head", "type": "type",
                                      "read_as": "read as", "meaning": "meaning"})  # fmt: skip


def _column(field: "Field") -> dict[str, Any]:
    place = f"bytes {field.at[0]}-{field.at[1]}" if field.at else ""
    otherwise = f"always {field.value}" if field.value else "not delivered"
    head = " or ".join(field.head) or place or otherwise
    how = [*field.formats, *(f"{text} = {code}" for text, code in field.labels.items())]
    if field.scale != 1:
        how.append(f"× {field.scale:g}")
    return {
        "column": field.name,
        "head": head,
        "type": field.type + (", optional" if field.optional else ""),
        "read_as": ", ".join(how),
        "meaning": field.meaning,
    }
