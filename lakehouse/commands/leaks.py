"""`bangfu leaks`: whether a name or number of a person stands outside the restricted zone."""

from dataclasses import asdict

from lakehouse.commands import AsJson, print_json, print_table, say
from lakehouse.errors import PrivacyError


def leaks(as_json: AsJson = False) -> None:
    """Look for names and numbers of people outside the restricted zone (泄露检查).

    In silver and gold, in the logs of their versions, in Data Docs, pages, lineage events, models
    and the operations store. Found values are counted, never shown; exit code 13 where there are
    any. It reads all of bronze, silver and gold.

    Examples: `bangfu leaks`, `bangfu leaks --json`
    """
    from lakehouse.leaks import leaks as find
    from lakehouse.run import House

    house = House()
    told = [asdict(one) for one in find(house)]
    if as_json:
        print_json(told)
    elif told:
        print_table("Outside the restricted zone", told,
                    {"place": "place", "kind": "kind", "n_values": "values"})  # fmt: skip
    else:
        say("No name and no number of bronze stands outside the restricted zone.")
    if told:
        raise PrivacyError(
            f"Values of people stand in {len(told)} places outside the restricted zone. Delete the "
            "file, or declare the column personal and make the table again."
        )
