"""Columns that several tables share: declared once, with their unit and sensitivity."""

from dataclasses import replace

from lakehouse.schemas import codes
from lakehouse.table import Column

AS_OF = Column("date", "The valid date that the answer is for.", example="2015-12-31")
DAY = Column("date", "Local day.", example="2015-12-05")
MONTH = Column("date", "First local day of the month.", example="2015-12-01")

AREA_CODE = Column(
    "string",
    "12-digit division code: 6 county (GB/T 2260), 3 town, 3 village; zeros below its level.",
    example="211223101201",
)
VILLAGE_CODE = AREA_CODE.means("Village: 12-digit division code.").linked("silver.area")
LEVEL = Column("string", "Level in the five-level tree.", codes=codes.LEVEL, example="village")

# Tokens are random surrogates from the vault, not derived from the identity; still personal.
PERSON_ID = Column("string", "Person: token.", personal=True, example="p1")
HOUSEHOLD_ID = Column("string", "Household: token.", personal=True, example="h1")
SUBSCRIBER_ID = Column("string", "Telephone number: token.", personal=True, example="s1")
CELL_ID = Column("string", "Cell of the operator.", example="c1")

DELIVERY_ID = Column("string", "Delivery that the row came with.", example="d1")
LINE = Column(
    "bigint",
    "Line (or row) of the delivered file, the first data row being 2; counted on through the "
    "files of a delivery.",
    least=1,
    example=2,
)

LON = Column("double", "Longitude, WGS-84.", unit="degree", least=73, most=136, example=124.7)
LAT = Column("double", "Latitude, WGS-84.", unit="degree", least=3, most=54, example=42.7)

N_MEMBERS = Column("int", "People in the household.", unit="person", least=1, most=30, example=3)
N_HOUSEHOLDS = Column("bigint", "Households.", unit="household", least=0, example=1)
SHARE = Column("double", "Share.", unit="share", least=0, most=1, example=0.5)
PERSONAL_SHARE = replace(SHARE, personal=True)
CNY = Column("double", "Yuan.", unit="yuan", example=1000.0)
