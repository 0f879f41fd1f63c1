"""The tables of the operations store. Counts and names only, never a row value."""

import sqlalchemy as sa

meta = sa.MetaData()

run_table = sa.Table(
    "run",
    meta,
    sa.Column("run_id", sa.String(32), primary_key=True),
    sa.Column("table_name", sa.String(100), index=True, nullable=False),
    sa.Column("as_of", sa.Date),
    sa.Column("state", sa.String(10), nullable=False),  # running, done, failed
    sa.Column("code_version", sa.String(64)),
    sa.Column("inputs", sa.JSON),  # table -> Delta version or content hash
    sa.Column("counts", sa.JSON),  # read, made, good, quarantined, created, updated, unchanged …
    sa.Column("delta_version", sa.Integer),
    sa.Column("seconds", sa.Float),
    sa.Column("started_at", sa.DateTime(timezone=True)),
    sa.Column("error", sa.Text),
)
delivery_table = sa.Table(
    "delivery",
    meta,
    sa.Column("delivery_id", sa.String(300), primary_key=True),
    sa.Column("feed", sa.String(100), index=True, nullable=False),
    sa.Column("period", sa.String(10), nullable=False),
    sa.Column("extent", sa.String(10), nullable=False),
    # landed, duplicate, refused; held until a word on it; rejected; superseded while it was held
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("reason", sa.String(40)),
    sa.Column("detail", sa.Text),
    sa.Column("content", sa.String(64), index=True),  # hash of the files' hashes
    sa.Column("supersedes", sa.String(300)),
    sa.Column("bytes", sa.BigInteger),
    sa.Column("n_read", sa.BigInteger),
    sa.Column("n_created", sa.BigInteger),
    sa.Column("n_unchanged", sa.BigInteger),
    sa.Column("n_quarantined", sa.BigInteger),
    sa.Column("arrived_at", sa.DateTime(timezone=True)),
    sa.Column("landed_at", sa.DateTime(timezone=True)),
)
# What a person said of a delivery that was held. The last word counts.
word_table = sa.Table(
    "delivery_word",
    meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("delivery_id", sa.String(300), index=True, nullable=False),
    sa.Column("word", sa.String(10), nullable=False),  # approved, rejected
    sa.Column("who", sa.String(100), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
)
reason_table = sa.Table(
    "reason",
    meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("table_name", sa.String(100), index=True, nullable=False),
    sa.Column("slice", sa.String(300), nullable=False),  # as-of date, or delivery
    sa.Column("reason", sa.String(200), nullable=False),
    sa.Column("n_rows", sa.BigInteger, nullable=False),
)
check_table = sa.Table(
    "check_result",
    meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.String(32), index=True, nullable=False),
    sa.Column("table_name", sa.String(100), nullable=False),
    sa.Column("expectation", sa.String(200), nullable=False),
    sa.Column("success", sa.Boolean, nullable=False),
    sa.Column("observed", sa.Text),
)
# What `bangfu migrate` did to a table, once per table and change of its declaration.
migration_table = sa.Table(
    "migration",
    meta,
    sa.Column("migration_id", sa.String(8), primary_key=True),
    sa.Column("table_name", sa.String(100), index=True, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),  # running, done, undone
    sa.Column("changes", sa.JSON, nullable=False),
    sa.Column("n_rows", sa.BigInteger),  # before; n_rows = n_kept + n_aside + n_emptied
    sa.Column("n_kept", sa.BigInteger),
    sa.Column("n_aside", sa.BigInteger),
    sa.Column("n_emptied", sa.BigInteger),  # taken out to be made anew (--rebuild)
    sa.Column("version_before", sa.Integer, nullable=False),
    sa.Column("version_after", sa.Integer),
    sa.Column("who", sa.String(100), nullable=False),
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
)
# What a delivery held as a whole, and what that was held against when it landed.
figure_table = sa.Table(
    "figure",
    meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("delivery_id", sa.String(300), index=True, nullable=False),
    sa.Column("feed", sa.String(100), index=True, nullable=False),
    sa.Column("period", sa.String(10), nullable=False),
    sa.Column("figure", sa.String(200), nullable=False),
    sa.Column("value", sa.Float, nullable=False),
    sa.Column("least", sa.Float),  # bounds of what is usual
    sa.Column("most", sa.Float),
    sa.Column("verdict", sa.String(10), nullable=False),  # ok, warn, hold; told: held against none
)
# One line for every move of a champion, and for every challenger that was refused.
model_event_table = sa.Table(
    "model_event",
    meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("model", sa.String(100), index=True, nullable=False),
    sa.Column("event", sa.String(20), nullable=False),  # promoted, refused, rolled_back
    sa.Column("version", sa.String(20), nullable=False),
    sa.Column("champion_before", sa.String(20)),
    sa.Column("figures", sa.JSON),  # measure -> value, as the gate saw them
    sa.Column("why", sa.Text),
    sa.Column("at", sa.DateTime(timezone=True)),
)
