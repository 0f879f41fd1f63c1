"""`bangfu backup` and `bangfu restore`: the house kept elsewhere, and brought back (备份)."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lakehouse.commands import AsJson, print_json, print_table, say
from lakehouse.errors import UsageError

SHOWN = {"id": "backup", "tables": "tables", "n_files": "files", "bytes": "bytes",
         "new_bytes": "new bytes", "key": "key", "seconds": "s"}  # fmt: skip

app = typer.Typer(
    name="backup",
    help="Keep the house elsewhere (备份): lake, landing, stores, models, and apart the key.",
    invoke_without_command=True,
)
Folder = Annotated[str, typer.Argument(help="Where backups lie: a folder, or a store's address.")]
Id = Annotated[str | None, typer.Option("--id", help="Which backup; the newest if left out.")]


@app.callback()
def backup(
    context: typer.Context,
    to: Annotated[
        str | None, typer.Option("--to", metavar="FOLDER", help="A folder, or a store's address.")
    ] = None,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="The vault's key too, in the backup, mode 0600.")
    ] = False,
    keys_to: Annotated[
        Path | None, typer.Option("--keys-to", help="The vault's key too, in another folder.")
    ] = None,
    with_conf: Annotated[
        bool,
        typer.Option("--with-conf", help="conf/ and your own mappings too; may hold passwords."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Back up the house while it works; files that a backup before has are not copied again.

    Without the vault's key a backup can be restored and read, and no silver is made of people.

    Examples: `bangfu backup --to /mnt/backup --keys-to /mnt/safe`,
    `bangfu backup verify /mnt/backup`
    """
    if context.invoked_subcommand:
        return
    if to is None:
        raise UsageError("Say where to: bangfu backup --to FOLDER.")
    from lakehouse.backup.make import backup as make_backup
    from lakehouse.backup.make import keys_folder
    from lakehouse.conf import settings

    keys = keys_folder(to, with_keys, keys_to)
    _tell([make_backup(settings(), to, keys=keys, with_conf=with_conf, tell=say)], as_json)
    if keys is None:
        say("The vault's key is not in it: keep it with --keys-to FOLDER.")


@app.command(name="list")
def list_(folder: Folder, as_json: AsJson = False) -> None:
    """List the whole backups of a folder, the oldest first.

    Example: `bangfu backup list /mnt/backup`
    """
    from lakehouse.backup.pool import Pool

    pool = Pool(folder)
    _tell([pool.manifest(one)[0] for one in pool.backups()], as_json)


@app.command()
def verify(folder: Folder, backup_id: Id = None, as_json: AsJson = False) -> None:
    """Read every file of a backup and hold it against its SHA-256; exit 12 where one differs.

    Example: `bangfu backup verify /mnt/backup`
    """
    from lakehouse.backup.restore import checked
    from lakehouse.backup.restore import verify as read_all

    told = read_all(folder, backup_id)
    if as_json:
        print_json(told)
    checked(told)
    say(f"Backup {told['id']}: {told['files']} files, {told['bytes']:,} bytes, all whole.")


@app.command()
def prune(
    folder: Folder,
    keep: Annotated[int, typer.Option(min=1, help="How many of the newest stay.")],
) -> None:
    """Let go of old backups and of files that no other has. Not beside a running backup.

    Example: `bangfu backup prune /mnt/backup --keep 14`
    """
    from lakehouse.backup.pool import Pool

    backups, files = Pool(folder).prune(keep)
    say(f"{backups} backups and {files} files let go.")


def restore(
    folder: Folder,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="HOME", help="The home; by default BANGFU_HOME.")
    ] = None,
    backup_id: Id = None,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="The vault's key, or the folder that has it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a backup back into an empty home (恢复), each file held against its SHA-256.

    Examples: `bangfu restore /mnt/backup --to .bangfu/again --keys /mnt/safe`
    """
    from lakehouse.backup.restore import restore as bring_back
    from lakehouse.conf import settings, use_home

    if to is not None:
        use_home(to)
    told = bring_back(settings(), folder, backup_id, keys=keys, tell=say)
    _tell([told], as_json)
    if not told["has_key"] and told["key_version"]:
        say("Its vault key was not given: tables can be read, and no silver is made of people "
            f"until vault-{told['key_version']}.key lies where [vault] of conf says.")  # fmt: skip


def _tell(manifests: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(manifests)
        return
    shown = [
        one | {"tables": len(one["versions"]), "key": one["key_version"] if one["keys"] else "no"}
        for one in manifests
    ]
    print_table("Backups", shown, SHOWN)
