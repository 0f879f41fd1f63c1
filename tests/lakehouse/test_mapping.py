"""Mappings of a user's own: what they declare, and every mistake told with file, key and word."""

import textwrap
from pathlib import Path

import pytest

from lakehouse.errors import DeclarationError, InputMissing
from lakehouse.feed import feed, feeds
from lakehouse.registry import registry

VILLAGES = """
    title = "村级区划名录"
    source = "statistics"
    owner = "statistics"
    purpose = "reference"
    extent = "full"
    format = "csv"
    area = "village_code"
    key = ["village_code"]

    [columns]
    village_code = { head = "code", type = "area", meaning = "Village." }
    village_name = { head = "name", type = "text", meaning = "Name." }
    town_code = { head = "streetCode", type = "area", digits = 9, meaning = "Town." }
"""
ONTO = """
    onto = "area"
    format = "csv"
    datum = "gcj-02"

    [columns]
    area_code = { head = "code" }
    area_name = { head = "name" }
    level = { head = "level", map = { v = "village" } }
    parent_code = { head = "parent", missing = ["0"] }
    valid_from = { value = "2016-07-31" }
    lon = { head = "longitude" }
    lat = { head = "latitude" }
    is_position_synthetic = { value = "否" }
"""


@pytest.fixture
def mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write mappings into a folder of one's own, and use it."""

    def write(**files: str) -> Path:
        folder = tmp_path / f"feeds{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for name, text in files.items():
            (folder / f"{name}.toml").write_text(textwrap.dedent(text), encoding="utf-8")
        monkeypatch.setenv("BANGFU_FEEDS", str(folder))
        return folder

    return write


def test_a_feed_that_nobody_reads_gets_tables_of_its_own(mapped) -> None:
    mapped(village_list=VILLAGES)
    known = registry()
    bronze, silver = known.tables["bronze.village_list"], known.tables["silver.village_list"]
    assert [c.type for c in bronze.columns.values()][:3] == ["string"] * 3
    assert (silver.key, silver.area, silver.write) == (("village_code",), "village_code", "merge")
    assert known.inputs("silver.village_list") == ["bronze.village_list"]
    assert known.origin("silver.village_list") == "typed by the mapping village_list.toml"
    assert "silver.village_list" in known.select("silver")


def test_without_the_folder_the_house_is_as_it_was(mapped, monkeypatch) -> None:
    mapped(village_list=VILLAGES)
    assert "silver.village_list" in registry().tables
    monkeypatch.delenv("BANGFU_FEEDS")
    assert "silver.village_list" not in registry().tables


def test_events_are_sliced_by_what_their_delivery_is_about(mapped) -> None:
    text = VILLAGES.replace('extent = "full"', 'extent = "delta"\n    every = "day"')
    mapped(village_list=text)
    silver = registry().tables["silver.village_list"]
    assert (silver.partition, silver.key) == ("day", ("day", "village_code"))


def test_personal_text_stays_in_bronze(mapped) -> None:
    text = VILLAGES.replace('"text", meaning', '"text", personal = true, meaning')
    mapped(village_list=text)
    known = registry()
    assert "village_name" in known.tables["bronze.village_list"].columns
    assert "village_name" not in known.tables["silver.village_list"].columns


def test_a_column_may_bear_a_word_of_the_declaration(mapped) -> None:
    words = ("purpose", "name", "owner", "columns", "doc")
    more = [f'{word} = {{ head = "my {word}", type = "text", meaning = "x" }}' for word in words]
    mapped(village_list="\n    ".join([VILLAGES.rstrip(), *more]) + "\n")
    known = registry()
    for layer in ("bronze", "silver"):
        table = known.tables[f"{layer}.village_list"]
        assert set(words) <= set(table.columns)
        assert (table.purpose, table.owner) == ("reference", "statistics")
        assert table.doc().startswith("村级区划名录")


def test_a_mapping_onto_a_feed_takes_its_types_and_has_its_columns(mapped) -> None:
    mapped(area_2016=ONTO)
    ours, theirs = feed("area"), feed("area_2016")
    assert theirs.parsed_types == ours.parsed_types
    assert (theirs.extent, theirs.owner, theirs.onto) == ("full", "space", "area")
    assert theirs.fields["level"].labels == {"v": "village"}
    assert set(theirs.delivered) == {
        "area_code", "area_name", "level", "parent_code", "lon", "lat"
    }  # fmt: skip
    assert "silver.area_2016" not in registry().tables


def test_a_changed_mapping_has_another_fingerprint(mapped) -> None:
    mapped(area_2016=ONTO)
    before = feed("area_2016").fingerprint
    mapped(area_2016=ONTO.replace("2016-07-31", "2016-12-31"))
    assert feed("area_2016").fingerprint != before
    mapped(area_2016=ONTO.replace("gcj-02", "bd-09"))
    assert feed("area_2016").fingerprint != before


MISTAKES = {
    "an unknown key": (("extent", "extend"), "unknown key 'extend'. Did you mean 'extent'?"),
    "an unknown key of a column": (
        ('head = "name"', 'hed = "name"'),
        "unknown key columns.village_name.'hed'. Did you mean 'head'?",
    ),
    "an unknown type": (('"text"', '"txt"'), "columns.village_name.type is 'txt'; known are"),
    "neither head nor value": (('head = "name", ', ""), "either a head"),
    "a head for two columns": (
        ('"streetCode"', '"code"'),
        "the head 'code' is mapped to two columns, village_code and town_code",
    ),
    "an unknown format": (('"csv"', '"cvs"'), "format is 'cvs'; known are csv"),
    "an encoding that is none": (
        ('format = "csv"', 'format = "csv"\n    encoding = "gb18O30"'),
        "encoding 'gb18O30' is not known. Did you mean 'gb18030'?",
    ),
    "an encoding of two bytes": (
        ('format = "csv"', 'format = "csv"\n    encoding = "utf-16"'),
        "not read line by line",
    ),
    "a sheet of a text": (
        ('format = "csv"', 'format = "csv"\n    sheet = "表1"'), "sheet is for xlsx"
    ),
    "a key that is no column": (
        ('key = ["village_code"]', 'key = ["vilage_code"]'),
        "key names 'vilage_code', which is no column. Did you mean 'village_code'?",
    ),
    "a zone that is none": (
        ('format = "csv"', 'format = "csv"\n    zone = "Asia/Peking"'), "zone is 'Asia/Peking'"
    ),
    "a datum without positions": (
        ('format = "csv"', 'format = "csv"\n    datum = "gcj-02"'),
        "one column of type longitude",
    ),
    "digits of no level": (("digits = 9", "digits = 8"), "columns.town_code.digits"),
    "no columns": (("[columns]", "[coloumns]"), "unknown key 'coloumns'. Did you mean 'columns'?"),
    "no TOML": (("[columns]", "[columns"), "is not valid TOML"),
    "a column that bronze has": (("village_name", "delivery_id"), "bronze has a column"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_the_file_the_key_and_the_nearest_word(mistake, mapped) -> None:
    (old, new), told = MISTAKES[mistake]
    assert old in VILLAGES
    folder = mapped(village_list=VILLAGES.replace(old, new, 1))
    with pytest.raises(DeclarationError) as error:
        feeds()
    assert str(folder / "village_list.toml") in str(error.value)
    assert told in str(error.value)


ONTO_MISTAKES = {
    "a feed that is not there": (('"area"', '"aria"'), "onto is 'aria'"),
    "a column that is not there": (
        ("area_name =", "area_nam ="), "area has no column 'area_nam'. Did you mean 'area_name'?"
    ),
    "a column that is needed": (
        ('area_name = { head = "name" }', ""), "area needs 'area_name' (Name.)"
    ),
    "a type of one's own": (
        ('head = "name"', 'head = "name", type = "code"'), "columns.area_name.type is area's to say"
    ),
    "a code that is not there": (('"village"', '"vilage"'), "Did you mean 'village'?"),
    "a key of one's own": (('format = "csv"', 'format = "csv"\n    key = ["x"]'), "key is for"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", ONTO_MISTAKES)
def test_a_mapping_onto_what_is_not_there(mistake, mapped) -> None:
    (old, new), told = ONTO_MISTAKES[mistake]
    assert old in ONTO
    mapped(area_2016=ONTO.replace(old, new, 1))
    with pytest.raises(DeclarationError, match=r"area_2016\.toml") as error:
        feeds()
    assert told in str(error.value)


def test_a_column_of_another_meaning_is_refused_and_binds_nobody(mapped) -> None:
    wrong = VILLAGES.replace("village_name", "weight")
    mapped(village_list=wrong)
    with pytest.raises(DeclarationError, match="one name, one meaning"):
        registry()
    # The same new name with another type in another folder is another's business.
    mapped(one=VILLAGES.replace("village_name", "height"))
    registry()
    other = VILLAGES.replace('village_name = { head = "name", type = "text"',
                             'height = { head = "name", type = "decimal"')  # fmt: skip
    mapped(two=other)
    registry()


def test_a_name_of_a_known_table_is_not_taken_twice(mapped) -> None:
    mapped(household=VILLAGES)
    with pytest.raises(DeclarationError, match=r"silver\.household, which is another table"):
        registry()


def test_a_folder_without_mappings(tmp_path) -> None:
    from lakehouse.conf import use_feeds

    with pytest.raises(InputMissing, match="has no mapping"):
        use_feeds(tmp_path)
    with pytest.raises(InputMissing, match="is no folder"):
        use_feeds(tmp_path / "nowhere")
