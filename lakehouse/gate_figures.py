"""Figures of deliveries as Great Expectations sees them: one row of figures, a suite of bounds.

Landing judges them without it, since every delivery would pay for its start; the site of Data Docs
is drawn when it is asked for, from the same bounds, and says the same.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.gate import Gate
from lakehouse.quality import newest_figures

if TYPE_CHECKING:
    from lakehouse.ops import Ops


def draw(gate: Gate, ops: "Ops") -> Path:
    """Draw the site with the figures of each feed's last delivery; return the page to open."""
    by_feed: dict[str, list[dict[str, Any]]] = {}
    for row in newest_figures(ops):
        by_feed.setdefault(row["feed"], []).append(row)
    for feed, rows in by_feed.items():
        validate(gate, feed, rows)
    return gate.build_docs()


def validate(gate: Gate, feed: str, rows: list[dict[str, Any]]) -> dict[str, bool]:
    """Hold one delivery's figures against their bounds; return which of them are usual."""
    import great_expectations as gx
    import great_expectations.expectations as gxe
    import pandas as pd
    from great_expectations.core.run_identifier import RunIdentifier

    name = f"bronze.{feed}"
    suite = gx.ExpectationSuite(name=f"figures of {name}")
    for row in rows:
        if row["verdict"] != "told":
            # A maximum tells what it saw; of one row it is the figure.
            bounds = {"min_value": row["least"], "max_value": row["most"]}
            suite.expectations.append(
                gxe.ExpectColumnMaxToBeBetween(
                    column=row["figure"], meta={"verdict": row["verdict"]}, **bounds
                )
            )
    suite = gate.context.suites.add_or_update(suite)
    source = gate.context.data_sources.add_or_update_pandas(name="figures")
    batch = source.add_dataframe_asset(name=name).add_batch_definition_whole_dataframe("delivery")
    checked = gx.ValidationDefinition(name=f"figures of {name}", data=batch, suite=suite)
    checkpoint = gx.Checkpoint(
        name=f"figures of {name}",
        validation_definitions=[gate.context.validation_definitions.add_or_update(checked)],
        result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
    )
    frame = pd.DataFrame({row["figure"]: [row["value"]] for row in rows})
    outcome = gate.context.checkpoints.add_or_update(checkpoint).run(
        batch_parameters={"dataframe": frame},
        run_id=RunIdentifier(run_name=rows[0]["delivery_id"].replace("/", " ")),
    )
    [result] = outcome.run_results.values()
    return {one.expectation_config.kwargs["column"]: bool(one.success) for one in result.results}
