"""The tables of truth/ agree: keys, people, kin and telephones, asked as files."""

from pathlib import Path

import pytest

from tests.synth.conftest import Made
from tests.synth.truth_county import TOLD, Files

# What each column is a key of, apart from nulls.
KEYS = {
    "person": """
        person.father_id person.mother_id person.spouse_id membership.person_id shock.person_id""",
    "here": """
        subscriber.user_id subscriber.on_paper_id subscriber.shared_with_id kin.person_id
        kin.other_id cadre_kin.relative_id favoured.relative_id concealed_income.person_id
        vehicle_owner.registered_id property_owner.registered_id firm_owner.person_id
        dropout.person_id training_absent.person_id""",
    "known": """
        cadre_kin.cadre_id favoured.cadre_id ghost.person_id death.person_id paid_dead.person_id
        vehicle_owner.real_owner_id property_owner.real_owner_id firm_owner.real_owner_id
        disability_card.holder_id""",
    "membership": """
        household_month.household_id shock.household_id poverty_spell.household_id
        death.household_id""",
    "household": """
        subscriber.household_id cadre_kin.household_id favoured.household_id
        concealed_income.household_id housing_misgraded.household_id
        project_household.household_id material_line.household_id""",
}
ONCE = [
    "known.person_id", "household.household_id", "subscriber.phone", "vehicle_owner.plate",
    "property_owner.property_id", "disability_card.disability_card", "dropout.person_id",
    "death.person_id", "training_absent.training_id", "fund_line.line_id",
    "material_line.line_id", "disaster.event_id", "concealed_income.person_id",
    "favoured.household_id", "household_month.household_id, month_end",
    "membership.person_id, since", "pair.one, other",
]  # fmt: skip


@pytest.mark.parametrize("to", KEYS)
def test_keys_lead_somewhere(to: str, files: Files):
    key = "household_id" if to in ("household", "membership") else "person_id"
    for name in KEYS[to].split():
        table, column = name.split(".")
        files.holds(
            f"""SELECT {column}, {column} IN (SELECT {key} FROM {to}) AS ok
            FROM {table} WHERE {column} IS NOT NULL"""
        )


@pytest.mark.parametrize("name", ONCE)
def test_each_thing_is_there_once(name: str, files: Files):
    table, key = name.split(".")
    files.holds(f"SELECT {key}, count(*) = 1 AS ok FROM {table} GROUP BY {key}")


def test_faults_change_nothing_of_the_truth(clean: Made, harsh: Made):
    def of(made: Made) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in Path(made.truth).glob("*.parquet")}

    assert of(clean) == of(harsh)


# -- people and households ---------------------------------------------------------------------


def test_people_are_those_of_their_numbers(files: Files):
    files.holds(
        """SELECT person_id, strftime(born, '%Y%m%d') = person_id[7:14]
        AND is_male = (CAST(person_id[17] AS INT) % 2 = 1) AS ok FROM person"""
    )


def test_nobody_is_in_two_households_or_outside_of_life(files: Files):
    files.holds(
        """SELECT *, since >= born AND (until IS NULL OR until > since)
        AND (died IS NULL OR until <= died) AS ok FROM membership JOIN person USING (person_id)"""
    )
    files.holds(
        """SELECT *, until <= lead(since) OVER whose AS ok FROM membership
        WINDOW whose AS (PARTITION BY person_id ORDER BY since)
        QUALIFY lead(since) OVER whose IS NOT NULL"""
    )
    files.holds(
        """SELECT person_id, reason, until = died AS ok FROM membership
        FULL JOIN (FROM person WHERE died IS NOT NULL) USING (person_id)
        WHERE reason = 'death' OR until = died OR since IS NULL"""
    )


def test_households_have_the_members_that_belong_to_them(files: Files):
    ends = files.rows("SELECT month_end FROM month ORDER BY month_end")
    assert [end.date() for (end,) in ends] == TOLD.month_ends
    files.holds(
        """SELECT *, n_members IS NOT DISTINCT FROM n AND heads = 1 AS ok
        FROM household_month FULL JOIN (
            SELECT household_id, month_end, count(*) AS n,
            count(*) FILTER (relation = 'head') AS heads FROM present GROUP BY ALL
        ) USING (household_id, month_end)"""
    )


def test_the_police_have_them_at_home(files: Files):
    """The register has everybody, and of the dead those of whom it has not heard."""
    files.take("person_register")
    files.holds(
        """SELECT p.*, r.household_id = p.household_id AND r.relation = p.relation AS ok
        FROM present p LEFT JOIN at_person_register r
        ON r.person_id = p.person_id AND r.day = month_end"""
    )
    files.holds(
        """SELECT r.*, d.*, died_date <= day AND coalesce(police_date > day, true) AS ok
        FROM (FROM at_person_register r ANTI JOIN present p
        ON r.person_id = p.person_id AND r.day = month_end) r LEFT JOIN death d USING (person_id)"""
    )


# -- kin ---------------------------------------------------------------------------------------


def test_spouses_are_each_others(files: Files):
    files.holds(
        """SELECT p.*, s.spouse_id = p.person_id AND s.is_male <> p.is_male
        AND p.died IS NULL AND s.died IS NULL AS ok
        FROM person p LEFT JOIN person s ON s.person_id = p.spouse_id
        WHERE p.spouse_id IS NOT NULL"""
    )


def test_parents_are_older_and_were_there(files: Files):
    files.holds(
        """SELECT *, is_father = is_told_father AND years BETWEEN 16 AND 60
        AND (is_father OR years < 52) AND (died IS NULL OR died >= born) AS ok FROM parent"""
    )


def test_parents_and_spouses_are_kin(files: Files):
    """The same people, of those who are there on the last day."""
    files.holds(
        """SELECT *, kind IS NOT NULL AND parent_id IS NOT NULL AS ok
        FROM (FROM parent SEMI JOIN here p ON p.person_id = parent_id) t
        SEMI JOIN here c ON c.person_id = child_id
        FULL JOIN (FROM kin WHERE kind = 'parent') k
        ON k.person_id = parent_id AND k.other_id = child_id"""
    )
    files.holds(
        """SELECT *, kind IS NOT NULL AND spouse_id IS NOT NULL AS ok FROM (
            FROM person SEMI JOIN here USING (person_id) WHERE spouse_id > person_id
            AND spouse_id IN (SELECT person_id FROM here)
        ) FULL JOIN (FROM pair WHERE kind = 'spouse') ON one = person_id AND other = spouse_id"""
    )


def test_siblings_share_a_parent(files: Files):
    """All who do are siblings; so are brothers who both have no parents here."""
    files.engine.execute(
        """CREATE TABLE shares AS SELECT DISTINCT a.child_id AS one, b.child_id AS other
        FROM parent a JOIN parent b ON a.parent_id = b.parent_id AND a.child_id < b.child_id
        SEMI JOIN here x ON x.person_id = a.child_id SEMI JOIN here y ON y.person_id = b.child_id"""
    )
    files.holds(
        """SELECT s.*, kind = 'sibling' AS ok FROM shares s LEFT JOIN pair USING (one, other)"""
    )
    files.take("person_register")
    files.holds(
        f"""SELECT p.*, a.is_male AND b.is_male AND x.person_name[1] = y.person_name[1]
        AND x.village_code = y.village_code
        AND coalesce(a.father_id, a.mother_id, b.father_id, b.mother_id) IS NULL AS ok
        FROM (FROM pair ANTI JOIN shares USING (one, other) WHERE kind = 'sibling') p
        JOIN person a ON a.person_id = one JOIN person b ON b.person_id = other
        JOIN at_person_register x ON x.person_id = one AND x.day = DATE '{TOLD.last}'
        JOIN at_person_register y ON y.person_id = other AND y.day = DATE '{TOLD.last}'"""
    )


def test_grandparents_stand_in_for_parents_who_are_away(files: Files):
    files.holds(
        """SELECT k.*, g.household_id = c.household_id AND c.relation = 'grandchild'
        AND k.other_id NOT IN (SELECT other_id FROM kin WHERE kind = 'parent') AS ok
        FROM kin k JOIN here g USING (person_id) JOIN here c ON c.person_id = other_id
        WHERE kind = 'grandparent'"""
    )


def test_kin_of_cadres_are_kin(files: Files):
    files.holds(
        """SELECT c.*, c.household_id = r.household_id
        AND is_own_household = coalesce(o.household_id = r.household_id, false)
        AND CASE WHEN o.person_id IS NULL THEN s.kind = 'cadre' ELSE EXISTS (
            FROM kin k WHERE (k.person_id = cadre_id AND k.other_id = relative_id
            AND CASE kind WHEN 'parent' THEN 'child' ELSE kind END = c.relation)
            OR (k.other_id = cadre_id AND k.person_id = relative_id AND kind = c.relation)
        ) END AS ok
        FROM cadre_kin c JOIN here r ON r.person_id = relative_id
        LEFT JOIN here o ON o.person_id = cadre_id LEFT JOIN stranger s ON s.person_id = cadre_id"""
    )


# -- telephones --------------------------------------------------------------------------------


def test_numbers_are_used_and_shared_at_home(files: Files):
    files.take("subscriber", "household_card")
    files.holds(
        """SELECT s.*, u.household_id = s.household_id AND p.household_id = s.household_id
        AND coalesce(o.household_id = s.household_id AND shared_with_id <> user_id,
        shared_with_id IS NULL) AND h.village_code = s.village_code
        AND (away_in IS NULL OR work = 'migrant') AS ok FROM subscriber s
        JOIN here u ON u.person_id = user_id JOIN person w ON w.person_id = user_id
        JOIN here p ON p.person_id = on_paper_id JOIN household h ON h.household_id = s.household_id
        LEFT JOIN here o ON o.person_id = shared_with_id"""
    )
    files.holds(
        """SELECT c.*, s.household_id = h.household_id AS ok FROM at_household_card c
        JOIN here h ON h.person_id = head_id LEFT JOIN subscriber s USING (phone)
        WHERE phone IS NOT NULL"""
    )


def test_a_token_is_one_owner_on_paper(files: Files):
    files.take("subscriber")
    both = "at_subscriber a FULL JOIN subscriber s ON phone = subscriber_id"
    files.holds(
        f"""SELECT identity_token, count(DISTINCT on_paper_id) = 1 AND bool_and(phone IS NOT NULL)
        AS ok FROM {both} GROUP BY identity_token"""
    )
    files.holds(
        f"""SELECT on_paper_id, count(DISTINCT identity_token) = 1
        AND bool_and(subscriber_id IS NOT NULL) AS ok FROM {both} GROUP BY on_paper_id"""
    )
