"""OpenLineage facets of tables, files and runs: names, versions and counts, never a row value."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from openlineage.client import event_v2 as events
from openlineage.client import facet_v2 as facets
from openlineage.client.facet_v2 import column_lineage_dataset as lineage
from openlineage.client.generated import (
    base_subset_dataset as subset,
)
from openlineage.client.generated import (
    data_quality_metrics_dataset as metrics,
)

from lakehouse.delivery import File
from lakehouse.feed import UNMAPPED, Feed, Field
from lakehouse.lineage.origin import KINDS, NOTHING, Origin
from lakehouse.lineage.plan import Columns
from lakehouse.table import Table

PRODUCER = "urn:bangfu:lakehouse"
events.set_producer(PRODUCER)
NO_COLUMN = "no column: a constant, a setting, or a count of rows"


def job(namespace: str, table: type[Table], kind: str) -> events.Job:
    """Return the job that makes or lands a table."""
    told: dict[str, Any] = {
        "jobType": facets.job_type_job.JobTypeJobFacet("BATCH", "BANGFU", kind),
        "documentation": facets.documentation_job.DocumentationJobFacet(table.doc()),
        "ownership": facets.ownership_job.OwnershipJobFacet(
            [facets.ownership_job.Owner(table.owner)]
        ),
    }
    return events.Job(namespace, table.name, told)


def of_run(
    as_of: date | None, zone: str, tags: Mapping[str, Any], error: str | None
) -> dict[str, Any]:
    """Return the facets of a run: nominal time, tags, and the message that the store keeps."""
    told: dict[str, Any] = {
        "tags": facets.tags_run.TagsRunFacet(
            [
                facets.tags_run.TagsRunFacetFields(key, str(value), "BANGFU")
                for key, value in tags.items()
                if value is not None
            ]
        )
    }
    if as_of:
        begin = datetime.combine(as_of, time(), ZoneInfo(zone))
        end = datetime.combine(as_of + timedelta(days=1), time(), ZoneInfo(zone))
        told["nominalTime"] = facets.nominal_time_run.NominalTimeRunFacet(
            begin.isoformat(), end.isoformat()
        )
    if error:
        told["errorMessage"] = facets.error_message_run.ErrorMessageRunFacet(error, "PYTHON")
    return told


def of_table(table: type[Table], version: Any, *, schema: bool = True) -> dict[str, Any]:
    """Return the facets of a table: its version, and its declared columns."""
    told: dict[str, Any] = {}
    if version is not None:
        told["version"] = facets.dataset_version_dataset.DatasetVersionDatasetFacet(str(version))
    if schema:
        told["schema"] = facets.schema_dataset.SchemaDatasetFacet(
            [
                facets.schema_dataset.SchemaDatasetFacetFields(one.name, one.type, one.meaning)
                for one in table.columns.values()
            ]
        )
    return told


def deliveries_read(delivery_ids: Iterable[str]) -> dict[str, Any]:
    """Return the facet that says which deliveries of a bronze table were read."""
    parts = [subset.Partition({"delivery_id": one}) for one in delivery_ids]
    condition = subset.PartitionSubsetCondition(parts)
    return {"subset": subset.InputSubsetInputDatasetFacet(condition)}


def file_dataset(namespace: str, name: str, file: File) -> events.InputDataset:
    """Return a delivered file: its SHA-256 is its version."""
    version = facets.dataset_version_dataset.DatasetVersionDatasetFacet(file.sha256)
    size = facets.input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
        rowCount=file.rows, size=file.n_bytes, fileCount=1
    )
    return events.InputDataset(
        namespace, name, facets={"version": version}, inputFacets={"inputStatistics": size}
    )


def column_lineage(namespace: str, columns: Columns) -> lineage.ColumnLineageDatasetFacet:
    """Return the origin of every column; what could not be read is said to be unknown.

    Rows that bring reasons of their own (`violations`) are set aside: those reasons filter.
    """
    rows = columns.rows.because([columns.of.get("violations", NOTHING)], "FILTER")
    return lineage.ColumnLineageDatasetFacet(
        fields={
            name: lineage.Fields(_inputs(namespace, origin), _described(origin))
            for name, origin in columns.of.items()
            if name != "violations"
        },
        dataset=_inputs(namespace, rows),
    )


def heads_lineage(
    namespace: str, feed: Feed, files: Iterable[str]
) -> lineage.ColumnLineageDatasetFacet:
    """Return which heads of a delivery's files each bronze column is read from."""
    known = list(files)
    taken = [lineage.Transformation("DIRECT", "IDENTITY")]
    return lineage.ColumnLineageDatasetFacet(
        fields={
            name: lineage.Fields(
                [
                    lineage.InputField(namespace, file, head, taken)
                    for file in known
                    for head in heads_of(field)
                ],
                "one of the heads that the mapping knows" if len(heads_of(field)) > 1 else None,
            )
            for name, field in feed.delivered.items()
        }
    )


def heads_of(field: Field) -> tuple[str, ...]:
    """Return the heads that a field goes by in files, or its bytes in a line of fixed width."""
    return (f"bytes {field.at[0]}-{field.at[1]}",) if field.at else field.head


def _described(origin: Origin) -> str | None:
    if origin.unknown:
        return f"unknown: {', '.join(sorted(origin.unknown))}"
    return NO_COLUMN if origin.is_empty else None


def _inputs(namespace: str, origin: Origin) -> list[lineage.InputField]:
    """Return the sources of a value; one that is in it is not told again as deciding it."""
    how = {
        source: [lineage.Transformation("DIRECT", KINDS[kind])]
        for source, kind in origin.direct.items()
    }
    for source, subtype in sorted(origin.indirect):
        if source not in origin.direct:
            how.setdefault(source, []).append(lineage.Transformation("INDIRECT", subtype))
    # A field that its mapping may have learnt late is looked for among the unmapped ones too.
    named = {table for table, column in how if column != UNMAPPED}
    return [
        lineage.InputField(namespace, table, column, how[table, column])
        for table, column in sorted(how)
        if column != UNMAPPED or table not in named
    ]


def quality(
    table: type[Table],
    counts: Mapping[str, int],
    results: Iterable[Mapping[str, Any]],
    reasons: Mapping[str, int],
) -> dict[str, Any]:
    """Return what the gate found of the rows written, and why others were set aside (warn)."""
    assertion = facets.data_quality_assertions_dataset.Assertion
    told = []
    for one in results:
        column, what = _of_column(table, one["expectation"])
        observed = None if one["observed"] in (None, "null") else str(one["observed"])
        told.append(
            assertion(what, one["success"], column, "error", one["expectation"], actual=observed)
        )
    for reason, n_rows in reasons.items():
        column, what = _of_column(table, reason)
        told.append(assertion(what, False, column, "warn", reason, actual=f"{n_rows} rows aside"))
    return {
        "dataQualityAssertions": (
            facets.data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(told)
        ),
        "dataQualityMetrics": metrics.DataQualityMetricsDatasetFacet(
            {}, rowCount=counts.get("made", counts.get("read"))
        ),
    }


def written(counts: Mapping[str, int]) -> dict[str, Any]:
    """Return how many rows an output was given."""
    n_rows = counts.get("good", counts.get("created"))
    statistics = facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(n_rows)
    return {"outputStatistics": statistics}


def _of_column(table: type[Table], name: str) -> tuple[str | None, str]:
    """Split the name of a check into the column that it is about, if any, and what it says."""
    column, _, what = name.rpartition(":")
    return (column, what) if column in table.columns else (None, what)
