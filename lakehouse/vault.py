"""Identities become random surrogates here, and nowhere else.

Surrogates are random and kept; only the HMAC of an identity is stored with them. The key is read
by the workers from a file outside the lake: it is in no query plan, log or table.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable as DeltaLog
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from lakehouse.errors import InputMissing
from lakehouse.feed import Feed
from lakehouse.io import Lake, arrow_rows
from lakehouse.schemas.restricted import Identity
from lakehouse.vault_key import (
    KEY_BYTES,
    ensure_key,
    key_version,
    keyed,
    keys_of,
    next_key,
    version_of,
    write_keys,
)

# Bytes of the table of surrogates up to which it is sent to every process, some 500,000 rows.
SMALL = 32 * 2**20
# Held so that nobody enrols under a key that is being replaced.
LOCK = "vault.key"


@F.arrow_udf(StringType())  # type: ignore[untyped-decorator]
def _random_token(values: pa.Array) -> pa.Array:
    return pa.array([secrets.token_hex(8) for _ in range(len(values))], pa.string())


class Vault:
    """The surrogates of one lake."""

    def __init__(self, lake: Lake, key_file: Path) -> None:
        self.lake = lake
        self.key_file = key_file

    def tokens(self, rows: DataFrame, feed: Feed) -> DataFrame:
        """Return the typed view with each identity replaced by its surrogate.

        An identity that has none yet is given one first, at once. Idempotent: of two that enrol
        one identity at the same time, the merge into the vault lets one in.
        """
        columns, found = rows.columns, _identities(feed)
        if not found:
            return rows
        self._open()
        # Whoever reads identities excludes a change of the key, not one another.
        with self.lake.lock(LOCK, shared=True):
            seen = self._seen(rows, found)
            at = self._enrol(seen)
        for kind, names in found.items():
            of_kind = seen.where(F.col("kind") == kind).drop("kind")
            rows = self._replaced(rows, of_kind, kind, names, at)
        return rows.select(*columns)

    def token_of(self, rows: DataFrame, kind: str, *columns: str) -> DataFrame:
        """Return rows with columns of identities of a kind as surrogates; null if unknown."""
        self._open()
        seen = self._seen(rows, {kind: list(columns)}).drop("kind")
        return self._replaced(rows, seen, kind, columns, self.lake.version(Identity.name))

    def counts(self) -> list[dict[str, Any]]:
        """Return how many identities there are (kind, key_version, n), by kind."""
        if not self.lake.exists(Identity.name):
            return []
        kinds = self.lake.read(Identity.name).groupBy("kind", "key_version")
        return [
            row.asDict() for row in kinds.agg(F.count("*").alias("n")).orderBy("kind").collect()
        ]

    def rotate(self) -> int:
        """Put a new key over the vault, which alone changes; return how many identities it has.

        Where it is killed, the next that opens the vault goes on or goes back.
        """
        with self.lake.lock(LOCK):
            self._settle()
            if not self.lake.exists(Identity.name):
                raise InputMissing("The vault holds nothing yet: there is no key to change.")
            keys = [*keys_of(self.key_file), secrets.token_hex(KEY_BYTES)]
            upcoming, version = next_key(self.key_file), version_of(keys)
            upcoming.unlink(missing_ok=True)
            write_keys(upcoming, keys)
            over = keyed(str(self.key_file), version, F.col("identity_hmac"), first=len(keys) - 1)
            rows = self.lake.read(Identity.name).withColumns(
                {"identity_hmac": over, "key_version": F.lit(version)}
            )
            written = self.lake.replace(Identity, rows, "true")
            self._settle()
        return written.created

    def _open(self) -> None:
        """End what was begun, and make a first key.

        A lake that has tokens has had its key: a new one would give people second tokens.
        """
        with self.lake.lock(LOCK):
            self._settle()
            if not self.lake.exists(Identity.name):
                ensure_key(self.key_file)

    def _version(self) -> str:
        """Return the version of the key. Raises InputMissing where it is gone, or another's."""
        version, theirs = version_of(keys_of(self.key_file)), self._version_of_rows()
        if theirs not in (None, version):
            raise InputMissing(
                f"{self.key_file} has the key {version}, the vault's rows are of {theirs}: people "
                f"would get second tokens. Put vault-{theirs}.key there from its backup."
            )
        return version

    def _settle(self) -> None:
        """End a rotation that was killed: its key counts if the vault has taken it."""
        upcoming = next_key(self.key_file)
        if upcoming.exists() and key_version(upcoming) == self._version_of_rows():
            upcoming.replace(self.key_file)

    def _version_of_rows(self) -> str | None:
        """Return the version of the key that the vault's rows are of; they all have one."""
        if not self.lake.exists(Identity.name):
            return None
        path = self.lake.path(Identity.name)
        [*row] = arrow_rows(DeltaLog(path), path).head(1, columns=["key_version"]).to_pylist()
        return str(row[0]["key_version"]) if row else None

    def _seen(self, rows: DataFrame, found: dict[str, list[str]]) -> DataFrame:
        """Return each identity once (kind, _identity, _hmac), however often it comes.

        Kept, because keying is what costs.
        """
        pairs = [
            F.struct(F.lit(kind).alias("kind"), F.col(name).alias("_identity"))
            for kind, names in found.items()
            for name in names
        ]
        seen = rows.select(F.inline(F.array(*pairs))).where("_identity IS NOT NULL").distinct()
        # The kind is mixed in: a card's number may be a person's.
        named = F.concat("kind", F.lit(":"), "_identity")
        hmac_of = keyed(str(self.key_file), self._version(), named)
        return seen.withColumn("_hmac", hmac_of).persist()

    def _enrol(self, seen: DataFrame) -> int | None:
        """Give those seen that have no surrogate one; return the vault's version then."""
        keys = ["kind", "identity_hmac"]
        told = seen.select("kind", F.col("_hmac").alias("identity_hmac"))
        if self.lake.exists(Identity.name):
            told = told.join(self.lake.read(Identity.name).select(*keys), keys, "left_anti")
        new = told.localCheckpoint()
        # Also without anybody new: whoever reads the vault next needs it to be there.
        if not new.isEmpty() or not self.lake.exists(Identity.name):
            token = _random_token.asNondeterministic()(F.col("identity_hmac"))
            named = {"surrogate": token, "key_version": F.lit(self._version())}
            self.lake.insert_new(Identity, new.withColumns(named))
        return self.lake.version(Identity.name)

    def _replaced(
        self, rows: DataFrame, seen: DataFrame, kind: str, columns: Sequence[str], at: int | None
    ) -> DataFrame:
        """Return rows with columns of identities as the surrogates of those seen.

        They are those of one version of the vault: rows are worked out later than a key may change.
        """
        known = (
            self.lake.read(Identity.name, at)
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
