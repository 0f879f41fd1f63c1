"""`bangfu method`: one method on a table of one's own, by the function that the jobs call.

Each reads only the columns that its options name and writes nothing but --out. What counts as
missing, and what becomes of it, stands on the method's page in docs/methods/.
"""

from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer

from lakehouse.commands import AsJson, print_json, print_table, say
from lakehouse.commands import method_answer as answer
from lakehouse.commands import method_measures as measures
from lakehouse.commands.method_input import (
    AMOUNT,
    FLAG,
    LABEL,
    NAME,
    RAW,
    SHARE,
    WEIGHT,
    Kind,
    Want,
    own_table,
)
from lakehouse.errors import UsageError

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV (UTF-8 or GB18030) or Parquet, also gzipped.")
]
Out = Annotated[
    Path | None, typer.Option("--out", help="Write the answer as .csv, .csv.gz or .parquet too.")
]
By = Annotated[
    str | None, typer.Option("--by", metavar="COL", help="Measure each group apart as well.")
]
RowWeight = Annotated[
    str | None,
    typer.Option("--weight", metavar="COL", help="What a row stands for; 1 if left out."),
]
FIRST_ROWS = 20

app = typer.Typer(
    name="method",
    no_args_is_help=True,
    help="Run one method on a table of your own (方法): CSV or Parquet in, figures out.",
)


@app.command()
def poverty(
    file: File,
    value: Annotated[str, typer.Option(metavar="COL", help="Income or consumption.")],
    line: Annotated[float, typer.Option(metavar="NUM", help="Poor is who is below it.")],
    weight: RowWeight = None,
    by: By = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Measure income poverty and inequality (贫困发生率、贫困深度、基尼系数): FGT and Gini.

    Formulas, missing values and ties: docs/methods/poverty.md.

    Examples: `bangfu method poverty people.csv --value income --line 2855`,
    `bangfu method poverty people.csv --value income --line 2855 --weight w --by town --json`
    """
    if not (isfinite(line) and line > 0):
        raise UsageError(f"--line is a number above 0, not {line:g}.")
    answer.check_out(out, file)
    wants = {"value": Want("--value", value, AMOUNT), **_weight(weight), **_group(by)}
    of_row = "weight" if weight else None
    with own_table(file, wants) as own:
        told = measures.whole_and_groups(
            lambda keys: measures.fgt_and_gini(own.rows, keys, of_row, line), by
        )
    answer.tell_left_out(told[0], "without a value or a weight")
    if _tell(told, by, out, as_json):
        _print(f"Poverty 贫困, below {line:g}", told, by)


@app.command()
def multidimensional(
    file: File,
    indicators: Annotated[
        str, typer.Option(metavar="A,B,…", help="Columns of deprivations: 1 deprived, 0 not.")
    ],
    indicator_weights: Annotated[
        str, typer.Option(metavar="1/3,1/3,…", help="One weight each; they add up to 1.")
    ],
    cutoff: Annotated[
        str, typer.Option(metavar="NUM", help="Poor from this share of deprivations on; 1/3.")
    ],
    weight: RowWeight = None,
    strata: Annotated[str | None, typer.Option(metavar="COL", help="Strata of the sample.")] = None,
    psu: Annotated[
        str | None, typer.Option(metavar="COL", help="Primary sampling units within strata.")
    ] = None,
    by: By = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Measure multidimensional poverty (多维贫困, Alkire-Foster): H, A, M0 and its error.

    Formulas, missing values and the sample design: docs/methods/multidimensional.md.

    Examples: `bangfu method multidimensional people.csv --indicators edu,health,water
    --indicator-weights 1/3,1/3,1/3 --cutoff 1/3 --weight w --strata county --psu village --json`
    """
    heads = answer.listed("--indicators", indicators)
    weights = answer.weights_of("--indicator-weights", indicator_weights, heads)
    k = answer.fraction("--cutoff", cutoff)
    if not 0 < k <= max(1, sum(weights.values())):
        raise UsageError(f"--cutoff is above 0 and at most the sum of all weights, not {cutoff}.")
    answer.check_out(out, file)
    wants = _each("--indicators", heads, FLAG) | _weight(weight) | _group(by)
    wants |= {"stratum": Want("--strata", strata, NAME)} if strata else {}
    wants |= {"psu": Want("--psu", psu, NAME)} if psu else {}
    of_row, design = "weight" if weight else None, measures.Design(strata, psu)
    with own_table(file, wants) as own:
        told = measures.whole_and_groups(
            lambda keys: measures.alkire_foster(own.rows, keys, of_row, weights, k, design), by
        )
    answer.tell_left_out(told[0], "without an indicator or a weight")
    if not psu:
        say("Without --psu each row counts as a PSU: the error is too small where the sample was "
            "drawn by village or household.")  # fmt: skip
    if _tell(told, by, out, as_json):
        _print("Multidimensional poverty 多维贫困", told, by)
        parts = ("uncensored", "censored", "contributions")
        rows = [{"indicator": head} | {part: told[0][part][head] for part in parts}
                for head in heads]  # fmt: skip
        print_table("By indicator", rows, {key: key for key in ("indicator", *parts)})


@app.command("entropy-weights")
def entropy_weights(
    file: File,
    columns: Annotated[str, typer.Option(metavar="A,B,…", help="Columns of indicators.")],
    directions: Annotated[
        str | None,
        typer.Option(
            metavar="+,-,…", help="+ more is better, - less is better; all + if left out."
        ),
    ] = None,
    normalise: Annotated[
        str, typer.Option(help="none (raw matrix), minmax (0 to 1), minmax-shifted (.01 to .99).")
    ] = "none",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Weigh indicators by how unequally they are spread over the rows (熵权法).

    Formulas, missing values and columns that tell nothing: docs/methods/entropy-weights.md.

    Examples: `bangfu method entropy-weights villages.csv --columns road,clinic,school --json`,
    `bangfu method entropy-weights villages.csv --columns road,dropout --directions +,-
    --normalise minmax`
    """
    from jobs.methods.entropy import NORMALISE

    heads = answer.listed("--columns", columns)
    known = {name.replace("_", "-"): name for name in NORMALISE}
    how = known[answer.chosen("--normalise", normalise, list(known))]
    signs = _signs(directions, heads, how)
    answer.check_out(out, file)
    with own_table(file, _each("--columns", heads, RAW if how == "none" else AMOUNT)) as own:
        n, told = measures.entropy(own.rows, heads, signs, how)
        counts = {"n": n, "n_left_out": own.n_rows - n}
    answer.tell_left_out(counts, "without one of the columns")
    if out:
        answer.write_rows(out, told, ("indicator",))
    if as_json:
        weights, entropies = ({row["indicator"]: row[key] for row in told}
                              for key in ("weight", "entropy"))  # fmt: skip
        print_json(counts | {"weights": weights, "entropies": entropies})
    else:
        print_table("Entropy weights 熵权", told, {key: key for key in told[0]})


def _signs(directions: str | None, heads: list[str], how: str) -> list[str]:
    """Return + or - for each column. Raises UsageError naming the column."""
    if directions is None:
        return ["+"] * len(heads)
    signs = [sign.strip() for sign in directions.split(",")]
    if len(signs) != len(heads):
        raise UsageError(f"--directions has {len(signs)} signs for {len(heads)} columns.")
    for head, sign in zip(heads, signs, strict=True):
        if sign not in ("+", "-"):
            raise UsageError(
                f"--directions: {sign!r} for the column {head!r} is neither + (more is better) "
                "nor - (less is better)."
            )
    if how == "none" and "-" in signs:
        raise UsageError(
            "--directions with a - needs --normalise minmax or minmax-shifted: values that are "
            "taken as they are cannot be turned round."
        )
    return signs


@app.command()
def coupling(
    file: File,
    systems: Annotated[
        str, typer.Option(metavar="U1,U2,…", help="Columns of systems, each within 0 to 1.")
    ],
    weights: Annotated[
        str | None, typer.Option(metavar="1/2,1/2,…", help="Weights of T; equal if left out.")
    ] = None,
    model: Annotated[str, typer.Option(help="How C is made: standard, wang or fan.")] = "standard",
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Couple two or more systems (耦合协调度): C, T, D, the class of D, and what lags behind.

    Rows come in the order of the file. Formulas and zeros: docs/methods/coupling.md.

    Examples: `bangfu method coupling villages.csv --systems living,production --model wang
    --weights 0.4,0.6 --json`
    """
    from jobs.methods.coupling import MODELS

    heads = answer.listed("--systems", systems)
    if len(heads) < 2:
        raise UsageError("--systems names one system: coupling is between at least two.")
    answer.chosen("--model", model, list(MODELS))
    shares = list(answer.weights_of("--weights", weights, heads).values()) if weights else None
    answer.check_out(out, file)
    with own_table(file, _each("--systems", heads, SHARE)) as own:
        folder = own.scratch / "coupled"
        n = measures.couple(own.rows, heads, model, shares, folder)
        counts = {"n": n, "n_left_out": own.n_rows - n}
        answer.tell_left_out(counts, "without one of the systems: they have no C, T and D")
        if out:
            answer.write_batches(out, answer.parquet_batches(folder))
        rows = (row for part in answer.parquet_batches(folder) for row in part.to_pylist())
        if as_json:
            answer.print_json_rows(counts | {"model": model}, map(_coupled, rows))
            return
        first = list(islice(rows, FIRST_ROWS))
        print_table(f"Coupling coordination 耦合协调, model {model}", first,
                    {name: name for name in first[0]})  # fmt: skip
        if own.n_rows > FIRST_ROWS:
            say(f"The first {FIRST_ROWS} of {own.n_rows:,} rows; --json or --out give all.")


def _coupled(row: dict[str, Any]) -> dict[str, Any]:
    named = None if row["level"] is None else {"level": row["level"], "name": row["class"]}
    return {"C": row["C"], "T": row["T"], "D": row["D"], "class": named, "lagging": row["lagging"]}


def _each(option: str, heads: list[str], kind: Kind) -> dict[str, Want]:
    """Return the columns as roles x0, x1 and so on."""
    return {f"x{place}": Want(option, head, kind) for place, head in enumerate(heads)}


def _weight(weight: str | None) -> dict[str, Want]:
    return {"weight": Want("--weight", weight, WEIGHT)} if weight else {}


def _group(by: str | None) -> dict[str, Want]:
    return {"group": Want("--by", by, LABEL)} if by else {}


def _tell(told: list[dict[str, Any]], by: str | None, out: Path | None, as_json: bool) -> bool:
    """Write --out and --json; return whether tables are still to be printed."""
    if out:
        answer.write_rows(out, [answer.flat(row) for row in told], ("scope", "group"))
    if as_json:
        whole, *groups = ({k: v for k, v in row.items() if k != "scope"} for row in told)
        for key in ("group", "share"):
            whole.pop(key, None)
        if by:
            whole["groups"] = {row.pop("group"): row for row in groups}
        print_json(whole)
    return not as_json


def _print(title: str, told: list[dict[str, Any]], by: str | None) -> None:
    """Print figures as a table, without what is told of each indicator."""
    plain = [key for key, value in told[0].items() if not isinstance(value, dict)]
    hidden = {"scope"} if by else {"scope", "group", "share"}
    heads = {key: by if by and key == "group" else key for key in plain if key not in hidden}
    print_table(title, [told[0] | {"group": "all"}, *told[1:]], heads)
