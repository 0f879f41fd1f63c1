"""silver.project: the county's project library."""

from datetime import date

from pyspark.sql import DataFrame

from jobs.methods.places import check_village
from lakehouse.job import job
from lakehouse.schemas.project import Project
from lakehouse.schemas.space import Area


@job(Project, projects="bronze.project", areas=Area, loads="projects")
def project(projects: DataFrame, areas: DataFrame, *, as_of: date) -> DataFrame:
    """Load every project at its village."""
    return check_village(projects, areas, as_of).select(*Project.columns, "violations")
