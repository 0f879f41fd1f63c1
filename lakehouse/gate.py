"""The gate: a table's Great Expectations suite, run on the rows that would be written.

Results hold counts only: examples of unexpected values are switched off, since Data Docs are
read outside the restricted zone.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse.checks import Split
from lakehouse.table import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Yes or no costs a few Spark jobs for a whole suite; counting each check costs one more for many.
VERDICTS = {"result_format": "BOOLEAN_ONLY"}
COUNTS = {"result_format": "BASIC", "partial_unexpected_count": 0}


class Gate:
    """One Great Expectations context, its results and Data Docs kept under `root`."""

    def __init__(self, root: Path) -> None:
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        import logging

        logging.getLogger("great_expectations").setLevel(logging.ERROR)
        import great_expectations as gx
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            FilesystemStoreBackendDefaults,
            ProgressBarsConfig,
        )

        root.mkdir(parents=True, exist_ok=True)
        config = DataContextConfig(
            store_backend_defaults=FilesystemStoreBackendDefaults(root_directory=str(root)),
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        )
        self.root = root
        self.context: Any = gx.get_context(mode="ephemeral", project_config=config)

    def validate(self, table: type[Table], good: "DataFrame", split: Split) -> list[dict[str, Any]]:
        """Return each check's name and success; where one fails, what each of them counted.

        Raises nothing: see `failures`.
        """
        results = self.run_suite(table, good, VERDICTS)
        if failures(results):
            results = self.run_suite(table, good, COUNTS)
        share = split.quarantined / split.made if split.made else 0.0
        results.append(
            {
                "expectation": "table:share_bad",
                "success": share <= table.share_bad,
                "observed": f"{split.quarantined} of {split.made} rows set aside, "
                f"{table.share_bad:.0%} allowed",
            }
        )
        return results

    def run_suite(
        self, table: type[Table], rows: "DataFrame", detail: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Run a table's suite over rows, in one detail or the other."""
        import great_expectations as gx

        from lakehouse.suite import expectations

        suite = gx.ExpectationSuite(name=table.name)
        for name, expectation in expectations(table).items():
            expectation.meta = {"name": name}
            suite.expectations.append(expectation)
        suite = self.context.suites.add_or_update(suite)
        source = self.context.data_sources.add_or_update_spark(name="lake", persist=False)
        batch = source.add_dataframe_asset(name=table.name).add_batch_definition_whole_dataframe(
            "slice"
        )
        validation = self.context.validation_definitions.add_or_update(
            gx.ValidationDefinition(name=table.name, data=batch, suite=suite)
        )
        checkpoint = self.context.checkpoints.add_or_update(
            gx.Checkpoint(
                name=table.name, validation_definitions=[validation], result_format=detail
            )
        )
        outcome = checkpoint.run(batch_parameters={"dataframe": rows.select(*table.columns)})
        [result] = outcome.run_results.values()
        return [
            {
                "expectation": (one.expectation_config.meta or {}).get("name", "?"),
                "success": bool(one.success),
                "observed": _observed(one),
            }
            for one in result.results
        ]

    def build_docs(self) -> Path:
        """Draw the Data Docs of all results kept so far; return the page to open.

        Their own index lists nothing without a network, so a plain one stands before it.
        """
        self.context.build_data_docs()
        site = self.root / "uncommitted" / "data_docs" / "local_site"
        newest = {
            page.stem.removeprefix("lake-").replace("figures-", "Deliveries of "): page
            for page in sorted((site / "validations").rglob("*.html"))
        }
        rows = "".join(
            f'<li><a href="{page.relative_to(self.root)}">{name}</a></li>\n'
            for name, page in sorted(newest.items())
        )
        index = self.root / "index.html"
        index.write_text(
            '<!doctype html><meta charset="utf-8"><title>Data Docs</title>\n'
            "<h1>Checks of each table's last run, figures of each feed's last delivery "
            "(质量检查)</h1>\n"
            "<p>The pages take their style from the network; without it they are plain.</p>\n"
            f"<ul>\n{rows}</ul>\n",
            encoding="utf-8",
        )
        return index


def _observed(one: Any) -> Any:
    """Return what a check saw, as counts: never a value of a row."""
    if '"raised_exception": true' in json.dumps(one.exception_info, default=str):
        return "the check itself could not run"
    result = one.result or {}
    kept = {key: result[key] for key in ("element_count", "unexpected_count") if key in result}
    if not kept and isinstance(result.get("observed_value"), int):
        return {"unexpected_count": result["observed_value"]}
    return kept or None


def failures(results: list[dict[str, Any]]) -> list[str]:
    return [result["expectation"] for result in results if not result["success"]]
