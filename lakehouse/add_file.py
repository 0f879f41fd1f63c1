"""A file becomes part of a Delta table: moved to its place, then told in the log."""

import json
import time
import uuid

from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.transaction import AddAction

from lakehouse.files import filesystem


def add_file(log: DeltaTable, uri: str, part: dict[str, str], n_rows: int, app_id: str) -> None:
    """Move a Parquet file into a partition and commit it under a transaction's name.

    A crash between the two leaves a file that no version has, for VACUUM.
    """
    added = _moved(log, uri, part, n_rows)
    log.create_write_transaction(
        [added], "append", log.schema(), list(part),
        commit_properties=CommitProperties(app_transactions=[Transaction(app_id, 1)]),
        post_commithook_properties=PostCommitHookProperties(cleanup_expired_logs=False),
    )  # fmt: skip
    log.update_incremental()


def _moved(log: DeltaTable, uri: str, part: dict[str, str], n_rows: int) -> AddAction:
    files, source = filesystem(uri)
    root = filesystem(log.table_uri)[1].rstrip("/")
    folder = "/".join(f"{name}={value}" for name, value in part.items())
    name = f"{folder}/part-{uuid.uuid4()}.parquet"
    size = files.get_file_info(source).size
    files.create_dir(f"{root}/{folder}", recursive=True)
    files.move(source, f"{root}/{name}")
    stats = json.dumps({"numRecords": n_rows})
    return AddAction(name, size, part, int(time.time() * 1000), True, stats)
