"""The vault: which surrogate stands for which identity. Restricted zone."""

from lakehouse.table import Column, Rule, Table


class Identity(
    Table,
    layer="vault",
    key=("kind", "identity_hmac"),
    area=None,
    purpose="linking",
    owner="data protection",
    write="merge",
    keep_days=36600,
):
    """One identity (ID number, household book, card, telephone) and its random surrogate.

    The identity itself is not here, only its HMAC-SHA-256 under a key that lies outside the
    lake; the surrogate is random, so a new key changes this table alone.
    """

    kind = Column("string", "person, household, card, phone or subscriber.", example="person")
    identity_hmac = Column(
        "string", "HMAC-SHA-256 of the identity, hexadecimal.", example="00", personal=True
    )
    surrogate = Column(
        "string", "Random token that every other table uses.", example="p1", personal=True
    )
    key_version = Column("string", "First digits of the key's own hash.", example="k0")

    is_a_hash = Rule("length(identity_hmac) = 64", "An HMAC-SHA-256 has 64 hexadecimal digits.")
