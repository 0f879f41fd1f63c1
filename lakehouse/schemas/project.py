"""Assistance projects."""

from lakehouse.schemas import codes, fields
from lakehouse.table import Column, Table


class Project(
    Table,
    layer="silver",
    key=("project_id",),
    area="village_code",
    purpose="planning",
    owner="projects and money",
    fresh_days=40,
):
    """One project of the county's project library (项目库), at one village."""

    project_id = Column("string", "Number in the project library.", example="j1")
    project_name = Column("string", "Name, in Chinese.", example="某村道路")
    project_kind = Column("string", "Kind.", codes=codes.PROJECT_KIND, example="road")
    village_code = fields.VILLAGE_CODE
    project_status = Column("string", "Status.", codes=codes.PROJECT_STATUS, example="accepted")
    started_date = Column("date", "Day it started, or is to start.", example="2015-04-01")
    budget_cny = Column("double", "Money planned.", unit="yuan", least=0, example=100000.0)
    n_beneficiaries = Column(
        "bigint", "Households it is to serve.", unit="household", least=0, example=10
    )
    delivery_id = fields.DELIVERY_ID
    line = fields.LINE
