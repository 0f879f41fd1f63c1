"""faults/README.md: what each kind is, how often, and what should become of it."""

from synth.deliver.kinds import CELLS, OF_ROWS
from synth.deliver.rates import rates
from synth.deliver.shapes import KINDS

# What usually becomes of a kind. The tables say it for each single fault: a small x is read, a
# full-width digit is not, and a style of dates hangs on what the mapping knows.
USUALLY = {
    "number_with_letters": "quarantined `<column>:not_a_number`",
    "wrong_check_digit": "quarantined `<column>:check_digit`",
    "swapped_digits": "quarantined `<column>:check_digit`",
    "wrong_digit": "quarantined `<column>:check_digit`",
    "id_15_digits": "repaired",
    "lower_case_x": "repaired",
    "impossible_date": "quarantined `<column>:not_a_date`",
    "date_style": "repaired where the mapping has the style, else quarantined "
                  "`<column>:not_a_date`",
    "unknown_village": "quarantined `village_code:unknown_area`; undetectable where no job asks",
    "retired_village": "quarantined `village_code:retired_area`; undetectable where no job asks",
    "full_width_digits": "quarantined under the type of the column",
    "trailing_blank": "repaired",
    "ideographic_blank": "quarantined under the type of the column",
    "other_datum": "undetectable alone",
    "doubled_row": "repaired: counted as unchanged; undetectable where a table has no key",
    "in_two_households": "quarantined `person_id:in_two_households`, `household_id:second_card` "
                         "or `duplicate_key`",
    "wrong_field_count": "quarantined `wrong_field_count`",
    "undecodable_line": "quarantined `wrong_encoding`",
    "other_encoding_line": "quarantined `wrong_encoding`, or under the first value that no longer "
                           "reads",
    "other_spelling": "undetectable alone",
    "wrong_encoding": "refused `wrong_encoding`; the next supersedes it",
    "bom": "repaired",
    "missing_head": "refused `missing_head`; the next supersedes it",
    "other_head": "repaired",
    "moved_columns": "repaired",
    "added_column": "repaired",
    "empty_file": "refused `empty_file`; the next supersedes it",
    "no_rows": "refused `no_rows`; the next supersedes it",
    "truncated_file": "refused `truncated_parquet`, `unreadable_workbook` or `truncated_gzip`; "
                      "the next supersedes it",
    "truncated_line": "quarantined `wrong_field_count`",
    "file_changed": "refused `file_changed`; the next supersedes it",
    "duplicate": "repaired: state `duplicate`",
    "exported_again": "repaired: its rows are repeats; undetectable where a table has no key",
    "late": "reported: a run makes only the two days before it again",
    "shrunk": "held, until the whole one comes a day later and supersedes it",
    "corrected": "repaired: the next supersedes it",
}  # fmt: skip


def text(level: str) -> str:
    """Return the page for one level."""
    of_level = rates(level)
    does = {name: kind.does for name, kind in CELLS.items()} | OF_ROWS
    shares = {**of_level.rows, **of_level.people}
    told = [
        "# What is wrong in these deliveries",
        "",
        f"Level `{level}`; the rates are those of conf/synth_faults.toml. `row.parquet` has one "
        "row per value or line that is wrong, `delivery.parquet` one per delivery that is wrong "
        "as a whole, each with what should become of it (`expected`, `reason`). `line` counts as "
        "bronze and quarantine do: the first row below the head is 2, on through the files of a "
        "delivery. `byte` is where the line begins in a text file. What follows from a fault in "
        "another register is not listed.",
        "",
        "| in rows | what | share | expected |",
        "|---|---|---|---|",
        *(
            f"| `{name}` | {does[name]} | {_percent(share)} | {USUALLY[name]} |"
            for name, share in shares.items()
        ),
        "",
        "| in whole deliveries | what | share of the group | expected |",
        "|---|---|---|---|",
    ]
    for group in of_level.groups:
        every = f", every {group.every}" if group.every else ""
        told += [
            f"| `{kind}` | {KINDS[kind].does} | {_percent(group.share)}{every} | {USUALLY[kind]} |"
            for kind in group.kinds
        ]
    return "\n".join(told) + "\n"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
