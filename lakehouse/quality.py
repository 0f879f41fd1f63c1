"""A delivery weighed as a whole before its rows land: what it holds against those before it.

Every figure is kept in the operations store with its bounds and its verdict. One that is far off
holds the delivery for a person's word; one that is off is told, and an alarm (`bangfu alarms`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakehouse.bronze import deliveries_in_force
from lakehouse.conf import Settings
from lakehouse.delivery import Delivery
from lakehouse.expect import Expect
from lakehouse.feed import Feed, family, feeds
from lakehouse.figures import (
    ANY,
    Figure,
    Limits,
    Range,
    far_count,
    judged,
    like_days,
    middle,
    psi,
    psi_by_chance,
    usual_count,
    usual_share,
)
from lakehouse.io import arrow_rows, newest_version, table_path
from lakehouse.measure import UNKNOWN, measure
from lakehouse.ops import Ops

if TYPE_CHECKING:
    import pyarrow.dataset as ds

    from lakehouse.landing import Landing

CODE = "code"
UNUSUAL = ("warn", "hold")
Codes = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Before:
    """What is known of earlier deliveries: values by figure with their periods, the oldest first.

    `codes` are rows by field and code of the last of them, together.
    """

    values: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    codes: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Weighed:
    """Why a delivery is to be held, if it is, and what is worth telling of it besides."""

    hold: str | None
    news: list[str]


def weigh(landing: "Landing", delivery: Delivery, feed: Feed, rows: str, n_rows: int) -> Weighed:
    """Measure a delivery's rows of text (a staged file), hold them against its history.

    Every figure is kept.
    """
    ops, conf, limits = landing.ops, landing.conf, Limits.of(landing.conf)
    registers = _registers(conf, ops, feed, delivery.period)
    found, codes = measure(conf, rows, feed, n_rows, registers)
    before = history(ops, delivery, feed, limits)
    is_addition = _adds_to_its_period(ops, delivery, feed)
    figures = judge(feed, delivery.period, found, codes, before, limits, is_addition=is_addition)
    ops.record_figures(delivery.delivery_id, feed.name, delivery.period, figures)
    news = [told(one) for one in figures if one.verdict in UNUSUAL]
    word = ops.words().get(delivery.delivery_id, {}).get("word")
    if word != "approved" and any(one.verdict == "hold" for one in figures):
        so = f"if that is so: bangfu deliveries approve {delivery.delivery_id} --why …"
        return Weighed("; ".join([*news, so]), news)
    return Weighed(None, [*news, *_new_codes(codes, before, limits.fewest)])


def worth_telling(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return in words the unusual figures among rows of the operations store."""
    return [
        told(Figure(row["figure"], row["value"], row["least"], row["most"], row["verdict"]))
        for row in rows
        if row["verdict"] in UNUSUAL
    ]


def told(figure: Figure) -> str:
    """Return a figure and what is usual, in a few words."""
    least, most = figure.least, figure.most
    if least is None or most is None:
        usual = f"at least {number(least)}" if least is not None else f"at most {number(most or 0)}"
    else:
        usual = f"{number(least)} to {number(most)}"
    return f"{figure.name} is {number(figure.value)}, usually {usual}"


def number(value: float) -> str:
    """Return a number as people read it."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"


def judge(
    feed: Feed, period: str, found: Mapping[str, float], codes: Codes, before: Before,
    limits: Limits, *, is_addition: bool = False,
) -> list[Figure]:  # fmt: skip
    """Return every figure of a delivery with its verdict, rows by code at the end.

    An addition to a day that has landed is held against no whole day.
    """
    n_rows = max(1, int(found["rows"]))
    figures = []
    for name, count in found.items():
        kind = name.partition(".")[0]
        value = count if kind in ("rows", "distinct") else count / n_rows
        usual, far = ANY, ANY
        past = like_days(period, before.values.get(name, []), limits.enough)
        if len(past) >= limits.enough and not (is_addition and kind in ("rows", "distinct")):
            usual, far = _bounds(kind, past, n_rows, limits)
        figures.append(_verdict(feed, name, value, usual, far))
    for name, by_code in codes.items():
        figures += _of_codes(feed, name, by_code, before, period, limits)
    return [
        *figures,
        *(
            Figure(f"{CODE}.{name}.{code or '?'}", n)
            for name, by_code in codes.items()
            for code, n in sorted(by_code.items())
        ),
    ]


def _bounds(kind: str, past: Sequence[float], n_rows: int, limits: Limits) -> tuple[Range, Range]:
    """Return between what a figure is usual, and beyond what it is far off."""
    centre, _ = middle(past)
    if kind in ("rows", "distinct"):
        few = centre < limits.fewest
        return (ANY, ANY) if few else (usual_count(past, limits), far_count(past, limits))
    usual = usual_share(past, n_rows, limits.share_slack, limits)
    if kind == "located":
        return (usual[0], None), (centre - limits.hold_share, None)
    # Fewer empty fields than usual are no fault.
    return (None, usual[1]), (None, centre + limits.hold_share)


def _of_codes(
    feed: Feed, name: str, now: Mapping[str, float], before: Before, period: str, limits: Limits
) -> list[Figure]:
    """Return how far a field's codes drifted, and the share of values in no code list."""
    n_now, past = sum(now.values()), before.codes.get(name, {})
    if not n_now:
        return []
    usual: Range = ANY
    unknown = like_days(period, before.values.get(f"unknown.{name}", []), limits.enough)
    if unknown:
        # A first new code is news already after one delivery that had none.
        usual = (None, usual_share(unknown, int(n_now), limits.unknown_slack, limits)[1])
    share = now.get(UNKNOWN, 0) / n_now
    figures = [_verdict(feed, f"unknown.{name}", share, usual, ANY)]
    if min(n_now, sum(past.values())) >= limits.fewest:
        least = psi_by_chance(now, past, limits.psi_sure)
        warn, hold = (max(one, least) for one in (limits.psi_warn, limits.psi_hold))
        figures.append(_verdict(feed, f"psi.{name}", psi(now, past), (None, warn), (None, hold)))
    return figures


def _verdict(feed: Feed, name: str, value: float, usual: Range, far: Range) -> Figure:
    """Judge a figure as the mapping says, else as the house does."""
    kind = name.partition(".")[0]
    said = feed.expect.get(name, Expect())
    of_kind = feed.expect.get(kind, Expect())
    severity = said.severity or of_kind.severity or _severity(kind, feed)
    if said.least is not None or said.most is not None:
        usual = far = (said.least, said.most)
    return judged(name, value, usual, far, severity)


def _severity(kind: str, feed: Feed) -> str:
    """Return how grave a figure is. What people do changes overnight; a register's codes do not."""
    if kind == "psi":
        return "hold" if feed.extent == "full" else "warn"
    return "warn" if kind in ("distinct", "unknown") else "hold"


def newest_figures(ops: Ops, feed: str | None = None) -> list[dict[str, Any]]:
    """Return the judged figures of the last delivery of each feed (or one) that landed or is held.

    `success` is false where it waits for a person because of the figure.
    """
    last = {row["feed"]: row for row in ops.deliveries(feed) if row["state"] in ("landed", "held")}
    state = {row["delivery_id"]: row["state"] for row in last.values()}
    return [
        row | {"success": row["verdict"] != "hold" or state[row["delivery_id"]] != "held"}
        for row in ops.figures(list(state))
        if not row["figure"].startswith(f"{CODE}.")
    ]


def history(ops: Ops, delivery: Delivery, feed: Feed, limits: Limits) -> Before:
    """Return the figures of the landed deliveries before one that still count."""
    extent = delivery.manifest().get("extent", feed.extent)
    landed = [row for row in ops.deliveries(feed.name) if row["state"] == "landed"]
    gone = {row["supersedes"] for row in landed}
    kept = [
        row["delivery_id"]
        for row in landed
        if row["delivery_id"] not in {delivery.delivery_id, *gone}
        and row["extent"] == extent
        and row["period"] <= delivery.period
    ][-limits.history :]
    by_delivery: dict[str, list[dict[str, Any]]] = {one: [] for one in kept}
    for row in ops.figures(kept):
        by_delivery[row["delivery_id"]].append(row)
    before = Before()
    for place, rows in enumerate(by_delivery.values()):
        for row in rows:
            kind, _, rest = row["figure"].partition(".")
            if kind != CODE:
                before.values.setdefault(row["figure"], []).append((row["period"], row["value"]))
            elif place >= len(kept) - limits.psi_window:
                name, _, code = rest.partition(".")
                counts = before.codes.setdefault(name, {})
                code = UNKNOWN if code == "?" else code
                counts[code] = counts.get(code, 0) + row["value"]
    return before


def _adds_to_its_period(ops: Ops, delivery: Delivery, feed: Feed) -> bool:
    """Tell whether another delivery of events has landed for the same period, and still counts."""
    corrected = f"{feed.name}/{delivery.manifest().get('supersedes')}"
    inside = deliveries_in_force(ops, feed, delivery.period, delivery.period)
    others = {row["delivery_id"] for row in inside} - {delivery.delivery_id, corrected}
    return feed.extent == "delta" and bool(others)


def _new_codes(codes: Codes, before: Before, fewest: int) -> list[str]:
    """Tell of fields where values in no code list are many, and were few in the delivery before."""
    return [
        f"{name}: {number(now[UNKNOWN])} rows have codes that are not in its list"
        for name, now in codes.items()
        if name in before.codes
        and before.codes[name].get(UNKNOWN, 0) < fewest <= now.get(UNKNOWN, 0)
    ]


def looked_up_first(deliveries: list[Delivery]) -> list[Delivery]:
    """Return deliveries in their order, registers that other feeds are looked up in before all."""
    named = {one.into[0] for feed in feeds().values() for one in feed.expect.values() if one.into}
    return sorted(deliveries, key=lambda one: one.feed not in named)


def _registers(conf: Settings, ops: Ops, feed: Feed, period: str) -> "dict[str, list[ds.Scanner]]":
    """Return for each field that is looked up the values of the register in force.

    A register that has not landed yet tells nothing: then there is no such figure.
    """
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    found: dict[str, list[ds.Scanner]] = {}
    for figure, said in feed.expect.items():
        if said.into is None:
            continue
        name, column = said.into
        for one in family(name, feeds()):
            path = table_path(conf.lake, one.table.name)
            ids = [row["delivery_id"] for row in deliveries_in_force(ops, one, None, period)]
            if ids and newest_version(path) is not None:
                rows = arrow_rows(DeltaTable(path), path)
                scan = rows.filter(pc.field("delivery_id").isin(ids)).scanner([column])
                found.setdefault(figure.partition(".")[2], []).append(scan)
    return found
