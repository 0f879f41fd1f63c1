"""Poverty, what led to it, and needs agree in truth/ and with what registers see."""

from lakehouse.conf import conf_dir, read_toml
from synth.figures import figures
from tests.synth.truth_county import RUNS, TOLD, Files

LIVING = ("food", "clothing", "housing", "water", "schooling", "medical", "health", "care")
PRODUCTION = ("land", "irrigation", "skill", "labour", "capital", "transport", "market",
              "technology")  # fmt: skip
# What the members of a household of the last day are and do.
MEMBERS = f"""
    SELECT household_id, bool_or(work IN ('farming', 'local_job', 'migrant', 'public')) AS works,
    bool_or(work = 'farming') AS farms, bool_or(health = 'disabled') AS has_disabled,
    bool_or(born <= DATE '{TOLD.last}' - INTERVAL 65 YEAR) AS has_old,
    bool_or(education IN ('junior', 'senior', 'college')
    AND born <= DATE '{TOLD.last}' - INTERVAL 16 YEAR) AS is_schooled
    FROM here JOIN person USING (person_id) GROUP BY household_id"""


# -- poverty -----------------------------------------------------------------------------------


def test_poor_are_those_below_the_line_of_the_scheme(files: Files):
    lines = read_toml(conf_dir() / "schemes" / "income_line.toml")["row"]
    [line] = [row["line_cny"] for row in lines if row["year"] == 2015]
    top = figures(TOLD.area)["lives"]["monitoring_range"]
    files.holds(
        f"""SELECT *, line_cny = {line} AND is_poor = (net_income_cny < line_cny)
        AND is_poor_by_consumption = (consumption_cny < line_cny)
        AND is_in_range = (NOT is_poor AND net_income_cny < {top} * line_cny) AS ok
        FROM household_month"""
    )
    files.holds(
        """SELECT *, h.is_poor = m.is_poor AND h.is_poor_by_consumption = m.is_poor_by_consumption
        AND h.net_income_cny = m.net_income_cny AND h.consumption_cny = m.consumption_cny
        AND h.n_members = m.n_members AS ok FROM household h FULL JOIN now m USING (household_id)"""
    )


def test_spells_are_runs_of_poor_months(files: Files):
    told = """SELECT household_id, first_month_end, last_month_end, is_known_from_before,
        is_return FROM poverty_spell ORDER BY 1, 2"""
    found = files.rows(told)
    assert found == files.rows(f"{RUNS} ORDER BY 1, 2")
    assert len({row[1:3] for row in found}) > 3


def test_shocks_befall_members(files: Files):
    files.holds(
        """SELECT s.*, m.since IS NOT NULL AS ok FROM shock s LEFT JOIN membership m
        ON m.person_id = s.person_id AND m.household_id = s.household_id
        AND since <= month_end AND (until IS NULL OR until > month_end)
        WHERE s.person_id IS NOT NULL"""
    )
    files.holds(
        """SELECT *, (kind = 'disaster') = (person_id IS NULL) AND (kind <> 'job'
        OR work IN ('local_job', 'migrant')) AS ok FROM shock LEFT JOIN person USING (person_id)"""
    )


def test_what_made_poor_befell_in_the_year_before(files: Files):
    files.holds(
        """SELECT cause, list(s.kind) FILTER (s.kind IS NOT NULL) AS kinds,
        coalesce(list_contains(kinds, cause), cause = 'none') AS ok
        FROM poverty_spell p LEFT JOIN shock s ON s.household_id = p.household_id
        AND month_end <= first_month_end AND month_end > first_month_end - INTERVAL 1 YEAR
        GROUP BY p.household_id, first_month_end, cause"""
    )


# -- needs -------------------------------------------------------------------------------------


def test_needs_are_any_of_the_eight(files: Files):
    for name, kinds in (("living", LIVING), ("production", PRODUCTION)):
        every = " OR ".join(f"needs_{kind}" for kind in kinds)
        files.holds(f"SELECT *, needs_{name} = ({every}) AS ok FROM household")


def test_needs_to_live_follow_from_the_household(files: Files):
    told = figures(TOLD.area)["lives"]["needs"]
    files.holds(
        f"""SELECT h.*, needs_food = (h.consumption_cny < {told["food"]} * line_cny)
        AND needs_clothing = (h.consumption_cny < {told["clothing"]} * line_cny)
        AND needs_schooling = (household_id IN (FROM here JOIN dropout USING (person_id)
        SELECT household_id)) AS ok FROM household h JOIN now USING (household_id)"""
    )
    files.holds(
        f"""SELECT h.*, spent, needs_health
        = (coalesce(spent, 0) > {told["medical_burden"]} * greatest(net_income_cny, 0) * n_members)
        AS ok FROM household h LEFT JOIN (
            SELECT household_id, sum(cost_cny) AS spent FROM shock
            WHERE kind IN ('illness', 'disability')
            AND month_end > DATE '{TOLD.last}' - INTERVAL 1 YEAR GROUP BY household_id
        ) USING (household_id)"""
    )
    files.holds(
        f"""SELECT *, (has_old OR has_disabled) AND NOT works AS ok
        FROM household JOIN ({MEMBERS}) USING (household_id) WHERE needs_care"""
    )


def test_needs_to_live_are_those_that_registers_see(files: Files):
    files.take("housing_grade", "household_card", "member_card")
    files.holds(
        f"""SELECT h.*, g.housing_grade, true_grade,
        needs_housing = (coalesce(true_grade, g.housing_grade) IN ('C', 'D'))
        AND coalesce(m.housing_grade = g.housing_grade AND true_grade <> g.housing_grade, true)
        AS ok FROM household h JOIN at_housing_grade g USING (household_id)
        LEFT JOIN housing_misgraded m USING (household_id) WHERE g.day = DATE '{TOLD.last}'"""
    )
    files.holds(
        """SELECT h.*, needs_water <> is_water_safe
        AND needs_housing = (housing_grade IN ('C', 'D')) AS ok FROM at_household_card
        JOIN here ON person_id = head_id JOIN household h USING (household_id)"""
    )
    files.holds(
        """SELECT household_id, any_value(needs_medical) <> bool_and(is_medical_covered) AS ok
        FROM at_member_card JOIN here USING (person_id) JOIN household USING (household_id)
        GROUP BY household_id"""
    )


def test_needs_to_produce_are_those_of_the_poor_who_can(files: Files):
    rest = " OR ".join(f"needs_{kind}" for kind in PRODUCTION if kind != "labour")
    files.engine.execute(
        f"CREATE TABLE full_of AS FROM household JOIN ({MEMBERS}) USING (household_id)"
    )
    files.holds("SELECT *, is_poor AS ok FROM full_of WHERE needs_production")
    files.holds(f"SELECT *, works AS ok FROM full_of WHERE is_rural AND ({rest})")
    files.holds(
        "SELECT *, needs_production AS ok FROM full_of WHERE is_rural AND is_poor AND works"
    )
    files.holds("SELECT *, NOT works AS ok FROM full_of WHERE needs_labour")
    files.holds("SELECT *, NOT is_schooled AS ok FROM full_of WHERE needs_skill")
    files.holds("SELECT *, is_schooled AND NOT needs_land AS ok FROM full_of WHERE needs_capital")
    files.holds("SELECT *, farms AS ok FROM full_of WHERE needs_technology OR needs_irrigation")
    files.take("household_card")
    least = figures(TOLD.area)["lives"]["needs"]["least_mu_a_person"]
    files.holds(
        f"""SELECT *, needs_land = (is_poor AND works AND land_mu < {least} * h.n_members)
        AND (NOT needs_labour OR land_mu > 0) AS ok FROM at_household_card c
        JOIN here ON person_id = head_id JOIN full_of h USING (household_id)"""
    )


def test_line_of_each_scheme_by_month(files: Files):
    files.holds(
        """SELECT m.*, (is_poor = (net_income_cny < poor.line_cny))
        AND ((is_poor OR is_in_range) = (net_income_cny < top.line_cny)) AS ok
        FROM household_month m
        LEFT JOIN (FROM line WHERE scheme = 'registered_poor') poor USING (month_end)
        LEFT JOIN (FROM line WHERE scheme = 'monitoring') top USING (month_end)"""
    )


def test_marriage_schooling_and_industry_agree_with_the_person(files: Files):
    files.holds("SELECT *, marital = 'married' AS ok FROM person WHERE spouse_id IS NOT NULL")
    files.holds(
        """SELECT p.*, marital = 'widowed' AS ok FROM person p JOIN (
            SELECT other.person_id FROM membership gone
            JOIN membership other USING (household_id)
            WHERE gone.reason = 'death' AND other.until IS NULL
            AND gone.relation = 'spouse' AND other.relation = 'head'
            AND other.since < gone.until
        ) USING (person_id)"""
    )
    files.holds(
        """SELECT *, (industry IS NOT NULL) = (work IN ('farming', 'local_job', 'migrant',
        'public')) AND coalesce((industry = 'farming') = (work = 'farming'), true) AS ok
        FROM person"""
    )
    files.holds(
        """SELECT *, education IN ('illiterate', 'primary') AS ok FROM person
        WHERE is_illiterate"""
    )


def test_who_has_a_car_has_one_on_paper(files: Files):
    files.holds(
        """SELECT h.*, (own.household_id IS NOT NULL) = has_car AS ok FROM household h LEFT JOIN (
            SELECT DISTINCT household_id FROM vehicle_owner JOIN here
            ON person_id = real_owner_id WHERE kind = 'own'
        ) own USING (household_id)"""
    )


def test_tap_water_is_on_the_register_of_water(files: Files):
    files.take("water_source")
    files.holds(
        """SELECT w.*, (water_source = 'tap') = has_tap_water
        AND (water_source <> 'tap' OR fetching_min = 0) AS ok
        FROM at_water_source w JOIN household USING (household_id)"""
    )
