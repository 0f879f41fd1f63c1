"""Identities become random surrogates here, and nowhere else.

Surrogates are random and kept; only the HMAC of an identity is stored with them. The key is read
by the workers from a file outside the lake: it is in no query plan, log or table.
"""

import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from lakehouse.errors import InputMissing
from lakehouse.feed import Feed, Field
from lakehouse.io import Lake
from lakehouse.schemas.restricted import Identity

KEY_BYTES = 32


def ensure_key(path: Path) -> None:
    """Make a key where there is none; readable by its owner only."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(KEY_BYTES))


def key_version(path: Path) -> str | None:
    """Return the first digits of a key's own hash, as the vault's rows have it; None without."""
    return _version(bytes.fromhex(path.read_text().strip())) if path.exists() else None


def _version(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:8]


@lru_cache(maxsize=4)
def _key(path: str) -> bytes:
    try:
        return bytes.fromhex(Path(path).read_text().strip())
    except FileNotFoundError:
        raise InputMissing(
            f"The vault's key {path} is not there. Restore it from its backup: "
            "without it no new delivery can be linked to old rows."
        ) from None


def _keyed(kind: str, key_file: str, identity: Column) -> Column:
    """Return the HMAC-SHA-256 of an identity, its kind mixed in, as hexadecimal text."""

    @F.arrow_udf(StringType())  # type: ignore[untyped-decorator]
    def keyed(values: pa.Array) -> pa.Array:
        key, prefix = _key(key_file), f"{kind}:".encode()
        return pa.array(
            [
                None if value is None
                else hmac.new(key, prefix + value.encode(), hashlib.sha256).hexdigest()
                for value in values.to_pylist()
            ],
            pa.string(),
        )  # fmt: skip

    return keyed(identity)


@F.arrow_udf(StringType())  # type: ignore[untyped-decorator]
def _random_token(values: pa.Array) -> pa.Array:
    return pa.array([secrets.token_hex(8) for _ in range(len(values))], pa.string())


class Vault:
    """The surrogates of one lake."""

    def __init__(self, lake: Lake, key_file: Path) -> None:
        # A lake that has tokens has had its key: a new one would give people second tokens.
        if not lake.exists(Identity.name):
            ensure_key(key_file)
        _key(str(key_file))
        self.lake = lake
        self.key_file = str(key_file)

    def enrol(self, rows: DataFrame, feed: Feed) -> None:
        """Give every identity in a typed view a surrogate, unless it has one. Idempotent."""
        seen = None
        for field in _identities(feed):
            kind = str(field.kind)
            one = rows.where(F.col(field.name).isNotNull()).select(
                F.lit(kind).alias("kind"),
                _keyed(kind, self.key_file, F.col(field.name)).alias("identity_hmac"),
            )
            seen = one if seen is None else seen.unionByName(one)
        if seen is None:
            return
        version = _version(_key(self.key_file))
        new = (
            seen.distinct()
            .withColumn("surrogate", _random_token.asNondeterministic()(F.col("identity_hmac")))
            .withColumn("key_version", F.lit(version))
        )
        self.lake.insert_new(Identity, new)

    def tokens(self, rows: DataFrame, feed: Feed) -> DataFrame:
        """Return the typed view with each identity replaced by its surrogate."""
        columns = rows.columns
        for field in _identities(feed):
            rows = self.token_of(rows, field.name, str(field.kind))
        return rows.select(*columns)

    def token_of(self, rows: DataFrame, column: str, kind: str) -> DataFrame:
        """Return rows with one column of identities replaced by surrogates; null if unknown."""
        known = (
            self.lake.read(Identity.name)
            .where(F.col("kind") == kind)
            .select(F.col("identity_hmac").alias("_hmac"), F.col("surrogate").alias("_token"))
        )
        return (
            rows.withColumn("_hmac", _keyed(kind, self.key_file, F.col(column)))
            .join(known, "_hmac", how="left")
            .withColumn(column, F.col("_token"))
            .drop("_hmac", "_token")
        )


def _identities(feed: Feed) -> list[Field]:
    return [field for field in feed.fields.values() if field.type == "identity"]
