"""`bangfu vault`: the table of surrogates and its key."""

from typing import Any

import typer

from lakehouse.commands import AsJson, print_json, print_table, say

app = typer.Typer(
    name="vault",
    no_args_is_help=True,
    help="The surrogates of people and their key (保管库).",
)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say how many identities of each kind have a surrogate, and which key they are under.

    Examples: `bangfu vault status`, `bangfu vault status --json`
    """
    from lakehouse.run import House

    told: list[dict[str, Any]] = House().vault.counts()
    if as_json:
        print_json(told)
    elif told:
        print_table("The vault 保管库", told, {name: name for name in told[0]})
    else:
        say("The vault holds nothing yet.")


@app.command()
def rotate() -> None:
    """Put a new key over the vault's (换钥): no other table changes, and people keep their tokens.

    Runs that are going on meanwhile end as they would have, or say that they are to be run again.
    Keep the new key: backups made before need the old one.

    Examples: `bangfu vault rotate`, `bangfu vault status`
    """
    from lakehouse.run import House
    from lakehouse.vault_key import key_version

    vault = House().vault
    n = vault.rotate()
    say(f"{n:,} identities are under the key {key_version(vault.key_file)} now. Keep it: "
        "`bangfu backup --to … --keys-to FOLDER`.")  # fmt: skip
