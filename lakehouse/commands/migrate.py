"""`bangfu migrate`: tables that stand, brought to a declaration that has changed (迁移)."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lakehouse.commands import AsJson, print_json, print_table, say, with_feeds
from lakehouse.errors import ChecksFailed, UsageError

STEPS = {"table": "table", "kind": "change", "what": "of", "was": "was", "now": "is", "how": "how"}
ROWS = {"table": "table", "rows": "rows", "kept": "kept", "aside": "would be set aside",
        "emptied": "made again", "refused": "refused"}  # fmt: skip
LOG = {"migration_id": "id", "table_name": "table", "state": "state", "n_rows": "rows",
       "n_kept": "kept", "n_aside": "set aside", "n_emptied": "made again", "versions": "versions",
       "who": "who", "started": "began (UTC)"}  # fmt: skip
HOW = {"alter": "schema only", "judge": "rows judged", "rewrite": "rows written again",
       "anew": "made anew"}  # fmt: skip
LONGEST = 60


class TablesFirst(TyperGroup):
    """A group whose first words may be tables: `bangfu migrate silver.person --apply`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["tables", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="migrate",
    cls=TablesFirst,
    help="Bring tables to a changed declaration (迁移); `tables` needs no name: "
    "`bangfu migrate TABLE`.",
)


@app.command()
@with_feeds
def tables(
    names: Annotated[list[str] | None, typer.Argument(help="Tables; all where left out.")] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without it nothing is written.")
    ] = False,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild", help="Empty the named tables, to be made again by `bangfu run`."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="However many rows would be set aside.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a changed declaration means for the tables that stand, and for how many rows.

    With --apply do it, once: rows that break a rule go to quarantine, the others stay. A second
    --apply finds nothing to do; one that was stopped goes on. `bangfu migrate undo` takes it back.

    Examples: `bangfu migrate`, `bangfu migrate silver.person --apply`
    """
    from lakehouse.migrate import Migration
    from lakehouse.migrate_plan import Planner
    from lakehouse.run import House

    if rebuild and not names:
        raise UsageError("--rebuild empties tables: name those that are meant.")
    house = House()
    planner = Planner(house, rebuild=rebuild, force=force)
    planned = planner.plan(names, tell=say)
    if not apply:
        _tell_plan(planned, as_json)
        return
    migration, done = Migration(house, planner), list[dict[str, Any]]()
    # One that was stopped at its last step differs in nothing, and is still to be finished.
    stopped = {one["table_name"] for one in house.ops.migrations() if one["state"] == "running"}
    due = [one.table for one in planned]
    due += [one.name for one in planner.tables(names) if one.name in stopped.difference(due)]
    blocked = [f"{one.table}: {'; '.join(one.refused)}" for one in planned if one.refused]
    for name in due:
        if not any(one.table == name and one.refused for one in planned):
            say(f"{name} …")
            done += [line for line in [migration.apply(name)] if line]
    _tell_log(done, "Migrated", as_json)
    if blocked:
        raise ChecksFailed(f"Not migrated: {'. '.join(blocked)}.")


def _tell_plan(planned: Any, as_json: bool) -> None:
    from dataclasses import asdict

    told = [asdict(one) for one in planned]
    if as_json:
        print_json(told)
        return
    if not told:
        say("Every table stands as it is declared.")
        return
    steps = [
        {key: _short(str(value)) for key, value in change.items()}
        | {"table": one.table, "how": HOW[plain.how]}
        for one, row in zip(planned, told, strict=True)
        for plain, change in zip(one.changes, row["changes"], strict=True)
    ]
    print_table("Changes", steps, STEPS)
    counted = [
        row | {"refused": "; ".join(row["refused"])} for row in told if row["rows"] is not None
    ]
    if counted:
        print_table("Rows", counted, ROWS)
    reasons = [{"table": row["table"], "reason": reason, "rows": n}
               for row in told for reason, n in sorted(row["reasons"].items())]  # fmt: skip
    if reasons:
        print_table("Would be set aside, by reason", reasons,
                    {"table": "table", "reason": "reason", "rows": "rows"})  # fmt: skip
    say("Nothing was written: --apply does it.")


@app.command()
def log(as_json: AsJson = False) -> None:
    """List migrations, the newest first.

    Example: `bangfu migrate log`
    """
    from lakehouse.ops import Ops

    _tell_log(Ops().migrations(), "Migrations", as_json)


@app.command()
@with_feeds
def undo(
    migration: Annotated[
        str | None, typer.Argument(help="Its id, of `bangfu migrate log`; the newest if left out.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even where later writes to the table are lost.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take a migration back: the table as it was before, its rows out of quarantine.

    Refused where the table was written to since, with what would be lost.

    Examples: `bangfu migrate undo`, `bangfu migrate undo 3f9a01bc`
    """
    from lakehouse.migrate import Migration
    from lakehouse.run import House

    _tell_log([Migration(House()).undo(migration, force=force)], "Taken back", as_json)


def _tell_log(lines: list[dict[str, Any]], title: str, as_json: bool) -> None:
    if as_json:
        print_json(lines)
    elif lines:
        shown = [
            line | {"started": str(line["started_at"])[:19],
                    "versions": f"{line['version_before']} -> {line.get('version_after') or '?'}"}
            for line in lines
        ]  # fmt: skip
        print_table(title, shown, LOG)
    else:
        say("There is nothing to do: no table differs." if title == "Migrated" else "None yet.")


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
