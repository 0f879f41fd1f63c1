"""Identities become random surrogates here, and nowhere else.

Surrogates are random and kept; only the HMAC of an identity is stored with them. The key is read
by the workers from a file outside the lake: it is in no query plan, log or table.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from lakehouse.errors import InputMissing
from lakehouse.feed import Feed
from lakehouse.io import Lake
from lakehouse.schemas.restricted import Identity

KEY_BYTES = 32
# Bytes of the table of surrogates up to which it is sent to every process, some 500,000 rows.
SMALL = 32 * 2**20


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


def _keyed(key_file: str, kind: Column, identity: Column) -> Column:
    """Return the HMAC-SHA-256 of an identity, its kind mixed in, as hexadecimal text."""

    @F.arrow_udf(StringType())  # type: ignore[untyped-decorator]
    def keyed(named: pa.Array) -> pa.Array:
        key = _key(key_file)
        return pa.array(
            [hmac.digest(key, one.encode(), "sha256").hex() for one in named.to_pylist()],
            pa.string(),
        )

    return keyed(F.concat(kind, F.lit(":"), identity))


@F.arrow_udf(StringType())  # type: ignore[untyped-decorator]
def _random_token(values: pa.Array) -> pa.Array:
    return pa.array([secrets.token_hex(8) for _ in range(len(values))], pa.string())


class Vault:
    """The surrogates of one lake."""

    def __init__(self, lake: Lake, key_file: Path) -> None:
        self.lake = lake
        self.key_file = str(key_file)

    def tokens(self, rows: DataFrame, feed: Feed) -> DataFrame:
        """Return the typed view with each identity replaced by its surrogate.

        An identity that has none yet is given one first, at once. Idempotent: of two that enrol
        one identity at the same time, the merge into the vault lets one in.
        """
        columns, found = rows.columns, _identities(feed)
        if not found:
            return rows
        seen = self._seen(rows, found)
        self._enrol(seen)
        for kind, names in found.items():
            of_kind = seen.where(F.col("kind") == kind).drop("kind")
            rows = self._replaced(rows, of_kind, kind, names)
        return rows.select(*columns)

    def token_of(self, rows: DataFrame, kind: str, *columns: str) -> DataFrame:
        """Return rows with columns of identities of a kind as surrogates; null if unknown."""
        seen = self._seen(rows, {kind: list(columns)}).drop("kind")
        return self._replaced(rows, seen, kind, columns)

    def _seen(self, rows: DataFrame, found: dict[str, list[str]]) -> DataFrame:
        """Return each identity once (kind, _identity, _hmac), however often it comes.

        Kept, because keying is what costs. Raises InputMissing where the key is gone.
        """
        # A lake that has tokens has had its key: a new one would give people second tokens.
        if not self.lake.exists(Identity.name):
            ensure_key(Path(self.key_file))
        _key(self.key_file)
        pairs = [
            F.struct(F.lit(kind).alias("kind"), F.col(name).alias("_identity"))
            for kind, names in found.items()
            for name in names
        ]
        seen = rows.select(F.inline(F.array(*pairs))).where("_identity IS NOT NULL").distinct()
        keyed = _keyed(self.key_file, F.col("kind"), F.col("_identity"))
        return seen.withColumn("_hmac", keyed).persist()

    def _enrol(self, seen: DataFrame) -> None:
        keys = ["kind", "identity_hmac"]
        told = seen.select("kind", F.col("_hmac").alias("identity_hmac"))
        if self.lake.exists(Identity.name):
            told = told.join(self.lake.read(Identity.name).select(*keys), keys, "left_anti")
        new = told.localCheckpoint()
        if new.isEmpty():
            return
        token = _random_token.asNondeterministic()(F.col("identity_hmac"))
        version = _version(_key(self.key_file))
        named = new.withColumn("surrogate", token).withColumn("key_version", F.lit(version))
        self.lake.insert_new(Identity, named)

    def _replaced(
        self, rows: DataFrame, seen: DataFrame, kind: str, columns: Sequence[str]
    ) -> DataFrame:
        """Return rows with columns of identities as the surrogates of those seen."""
        known = (
            self.lake.read(Identity.name)
            .where(F.col("kind") == kind)
            .select(F.col("identity_hmac").alias("_hmac"), F.col("surrogate").alias("_token"))
        )
        tokens = seen.join(known, "_hmac", "left").drop("_hmac").persist()
        if self._is_small(known):
            tokens = F.broadcast(tokens)
        for column in columns:
            rows = (
                rows.join(tokens, F.col(column) == F.col("_identity"), how="left")
                .withColumn(column, F.col("_token"))
                .drop("_identity", "_token")
            )
        return rows

    def _is_small(self, known: DataFrame) -> bool:
        """Tell whether every process may hold the surrogates; Spark cannot know before it runs."""
        plan = known._jdf.queryExecution().optimizedPlan()
        return int(str(plan.stats().sizeInBytes())) <= SMALL


def _identities(feed: Feed) -> dict[str, list[str]]:
    """Return the columns of identities by kind."""
    found: dict[str, list[str]] = {}
    for field in feed.fields.values():
        if field.type == "identity":
            found.setdefault(str(field.kind), []).append(field.name)
    return found
