"""What truth/ says of registers agrees with people, households and the delivered files."""

from synth.deliver.delivery import feeds_known
from tests.synth.truth_county import TOLD, Files

LAST = f"DATE '{TOLD.last}'"


def test_people_in_registers_are_known(files: Files):
    """Of the population, or strangers that truth/ lists."""
    known, n = {number for (number,) in files.rows("SELECT person_id FROM known")}, 0
    for name, feed in feeds_known().items():
        columns = [c for c, spec in feed.delivered.items() if spec.kind == "person"]
        if columns and name not in ("cdr", "data_session"):
            files.take(name)
        for column in columns:
            found = files.rows(f"SELECT DISTINCT {column} FROM at_{name} WHERE {column} <> ''")
            assert {number for (number,) in found} <= known, (name, column)
            n += len(found) > 0
    assert n > 25


# -- deaths and ghosts -------------------------------------------------------------------------


def test_deaths_are_those_of_people_and_of_some_before(files: Files):
    files.holds(
        """SELECT p.*, d.*, died_date = died AND birth_date = born AND d.is_male = p.is_male
        AND d.household_id = m.household_id AS ok FROM (FROM person WHERE died IS NOT NULL) p
        FULL JOIN (FROM death ANTI JOIN stranger USING (person_id)) d USING (person_id)
        LEFT JOIN membership m ON m.person_id = p.person_id AND m.until = died"""
    )
    files.holds(
        f"""SELECT *, kind = 'died_before' AND died_date < DATE '{TOLD.first}' AS ok
        FROM death JOIN stranger USING (person_id)"""
    )
    files.take("death")
    files.holds(
        """SELECT a.*, d.*, day = last_day(civil_date) AND died_date = death_date
        AND police_date >= civil_date AND civil_date >= died_date AS ok
        FROM at_death a LEFT JOIN death d USING (person_id) WHERE person_id IS NOT NULL"""
    )


def test_ghosts_have_died_or_left_or_are_here_twice(files: Files):
    files.holds(
        """SELECT g.*, s.kind = 'long_died' OR died_date = g.left_date AS ok FROM ghost g
        LEFT JOIN stranger s USING (person_id) LEFT JOIN death USING (person_id)
        WHERE g.kind = 'died'"""
    )
    files.holds(
        """SELECT g.*, coalesce(s.kind = 'long_moved', until_last = g.left_date AND died IS NULL)
        AND h.person_id IS NULL AS ok FROM ghost g LEFT JOIN stranger s USING (person_id)
        LEFT JOIN person USING (person_id) LEFT JOIN here h USING (person_id)
        LEFT JOIN (SELECT person_id, max(until) AS until_last FROM membership GROUP BY 1)
        USING (person_id) WHERE g.kind = 'moved'"""
    )
    files.holds(
        """SELECT g.*, h.person_id IS NOT NULL AND g.left_date IS NULL AS ok FROM ghost g
        LEFT JOIN here h USING (person_id) WHERE kind = 'doubled'"""
    )


def test_who_is_paid_is_there_or_a_ghost(files: Files):
    files.take("benefit", "pension", "public_payroll")
    files.holds(
        """SELECT b.*, p.person_id IS NOT NULL OR g.person_id IS NOT NULL AS ok FROM at_benefit b
        LEFT JOIN present p ON p.person_id = b.person_id AND month_end = day
        LEFT JOIN ghost g ON g.person_id = b.person_id AND g.benefit_id = b.benefit_id"""
    )
    # The dead on pay and pensions are those that are listed, and no others.
    files.holds(
        """SELECT *, r.person_id IS NOT NULL AND r.died_date = d.died_date AND p.found > 0
        AND coalesce(until > last_paid, true) AS ok FROM paid_dead r FULL JOIN (
            SELECT register, person_id, max(day) AS last_paid, count(*) AS found FROM (
                SELECT 'pension' AS register, person_id, day FROM at_pension
                UNION ALL SELECT 'public_payroll', person_id, day FROM at_public_payroll
            ) JOIN death USING (person_id) WHERE died_date <= day GROUP BY ALL
        ) p USING (register, person_id) LEFT JOIN death d USING (person_id)"""
    )


# -- what is hidden ----------------------------------------------------------------------------


def test_who_conceals_works_and_is_on_no_book(files: Files):
    files.take("employment", "tax")
    files.holds(
        """SELECT c.*, is_rural AND c.household_id = m.household_id AND hidden_cny > 0
        AND work = CASE c.kind WHEN 'away' THEN 'migrant' ELSE 'local_job' END
        AND c.person_id NOT IN (SELECT person_id FROM at_employment)
        AND c.person_id NOT IN (SELECT person_id FROM at_tax WHERE person_id IS NOT NULL) AS ok
        FROM concealed_income c JOIN here m USING (person_id) JOIN person USING (person_id)
        JOIN household h ON h.household_id = m.household_id"""
    )


def test_owners_are_those_on_paper_unless_it_is_said_otherwise(files: Files):
    files.take("vehicle", "property", "company")
    for table, feed, key in (
        ("vehicle_owner", "vehicle", "plate"), ("property_owner", "property", "property_id"),
    ):  # fmt: skip
        files.holds(
            f"""SELECT *, coalesce(owner_id = registered_id, registered_id IS NOT NULL)
            AND CASE WHEN kind IN ('own', 'production') THEN real_owner_id = registered_id
            WHEN kind = 'scrapped' THEN real_owner_id IS NULL
            ELSE real_owner_id <> registered_id END
            AND coalesce(since_date >= registered_date, kind = 'own') AS ok
            FROM {table} FULL JOIN (FROM at_{feed} WHERE day = {LAST}) USING ({key})"""
        )
    files.holds(
        """SELECT v.*, s.kind = 'outside' OR one IS NOT NULL AS ok FROM vehicle_owner v
        LEFT JOIN stranger s ON s.person_id = real_owner_id
        LEFT JOIN pair ON one = least(registered_id, real_owner_id)
        AND other = greatest(registered_id, real_owner_id) WHERE v.kind = 'borrowed_name'"""
    )
    files.holds(
        f"""SELECT *, CASE WHEN o.credit_code IS NULL THEN s.kind = 'outside'
        ELSE is_name_lent = (o.person_id <> real_owner_id) AND a.credit_code IS NOT NULL END AS ok
        FROM firm_owner o FULL JOIN (FROM at_company WHERE day = {LAST}) a
        USING (credit_code, person_id) LEFT JOIN stranger s ON s.person_id = a.person_id"""
    )


def test_the_favoured_are_cadres_kin_and_get_what_is_said(files: Files):
    files.take("benefit")
    files.holds(
        f"""SELECT f.*, k.cadre_id IS NOT NULL AND NOT is_own_household AND NOT is_poor
        AND is_rural AND k.household_id = f.household_id AND CASE via WHEN 'list' THEN is_listed
        ELSE relative_id IN (SELECT person_id FROM at_benefit WHERE day = {LAST}) END AS ok
        FROM favoured f LEFT JOIN cadre_kin k USING (cadre_id, relative_id, relation)
        JOIN household h ON h.household_id = f.household_id"""
    )
    assert len(files.rows("SELECT DISTINCT via FROM favoured")) == 2


def test_who_has_a_card_is_listed_or_asked(files: Files):
    files.take("household_card", "member_card", "roster", "consumption_survey")
    files.holds(
        f"""SELECT h.*, is_candidate = (c.head_id IS NOT NULL)
        AND is_listed = (r.head_id IS NOT NULL) AND is_surveyed = (s.head_id IS NOT NULL)
        AND coalesce(c.village_code, h.village_code) = h.village_code
        AND coalesce(s.n_members, h.n_members) = h.n_members AS ok
        FROM household h JOIN here m ON m.household_id = h.household_id AND relation = 'head'
        LEFT JOIN (FROM at_household_card WHERE day = {LAST}) c ON c.head_id = m.person_id
        LEFT JOIN (FROM at_roster WHERE day = {LAST} AND roster_status = 'on') r
        ON r.head_id = m.person_id
        LEFT JOIN (FROM at_consumption_survey WHERE day = {LAST}) s ON s.head_id = m.person_id"""
    )
    files.holds(
        """SELECT c.*, m.household_id = h.household_id AND m.household_id IS NOT NULL AS ok
        FROM at_member_card c LEFT JOIN here m USING (person_id)
        JOIN at_household_card k ON k.card_id = c.card_id JOIN here h ON h.person_id = k.head_id"""
    )


# -- money and goods ---------------------------------------------------------------------------


def test_money_adds_up_to_what_is_said_of_it(files: Files):
    """A project costs more than its budget where a line is said to be over it, nowhere else."""
    files.take("fund", "project")
    files.holds(
        """SELECT t.*, a.project_id = t.project_id AS ok
        FROM fund_line t LEFT JOIN at_fund a USING (line_id)"""
    )
    files.holds(
        """SELECT project_id, budget_cny, sum(amount_cny) FILTER (purpose = 'allocation') AS sent,
        sum(amount_cny) FILTER (purpose NOT IN ('allocation', 'other')) AS spent,
        bool_or(coalesce(kind = 'over_budget', false)) AS is_over,
        coalesce(sent, 0) < budget_cny + 0.01
        AND is_over = (coalesce(spent, 0) > budget_cny + 0.01)
        AND project_status <> 'planned' AS ok
        FROM at_fund f LEFT JOIN fund_line t USING (line_id, project_id)
        LEFT JOIN at_project p USING (project_id)
        GROUP BY project_id, budget_cny, project_status"""
    )
    # What comes back is less than what went to the firm, whose owner is the cadre's kin.
    files.holds(
        """SELECT b.*, k.cadre_id IS NOT NULL AND t.kind = 'round_trip' AS ok
        FROM at_fund b LEFT JOIN fund_line t USING (line_id)
        LEFT JOIN at_fund a ON a.to_account = b.from_account AND a.project_id = b.project_id
        AND a.amount_cny > b.amount_cny AND a.paid_date < b.paid_date
        LEFT JOIN firm_owner o ON o.credit_code = a.payee_code
        LEFT JOIN cadre_kin k ON k.cadre_id = b.payee_person_id AND k.relative_id = o.person_id
        WHERE b.purpose = 'other' QUALIFY row_number() OVER (PARTITION BY b.line_id
        ORDER BY k.cadre_id NULLS LAST) = 1"""
    )


def test_projects_serve_as_many_of_their_village_as_is_said(files: Files):
    files.take("project")
    files.holds(
        """SELECT p.project_id, count(s.household_id) AS n_served, CASE project_status
        WHEN 'planned' THEN 0 ELSE least(n_beneficiaries, count(*)) END AS n_told,
        n_served = n_told AND n_served
        = (SELECT count(*) FROM project_household x WHERE x.project_id = p.project_id) AS ok
        FROM at_project p JOIN household h USING (village_code) LEFT JOIN project_household s
        ON s.project_id = p.project_id AND s.household_id = h.household_id
        GROUP BY p.project_id, project_status, n_beneficiaries"""
    )


def test_goods_go_to_those_served_but_for_those_said(files: Files):
    files.take("material")
    files.holds(
        """SELECT a.*, kind, h.household_id = a.household_id
        AND coalesce(t.household_id = a.household_id, kind IS NULL) AND CASE kind
        WHEN 'kin' THEN a.household_id IN (SELECT household_id FROM cadre_kin) AND NOT is_listed
        ELSE s.project_id IS NOT NULL END AS ok
        FROM at_material a LEFT JOIN material_line t USING (line_id, project_id)
        LEFT JOIN here h USING (person_id) JOIN household o ON o.household_id = a.household_id
        LEFT JOIN project_household s ON s.project_id = a.project_id
        AND s.household_id = a.household_id"""
    )
    files.holds(
        """SELECT t.*, a.line_id IS NOT NULL AS ok FROM material_line t
        LEFT JOIN at_material a USING (line_id, project_id, household_id)"""
    )


# -- children, the disabled, courses, weather ------------------------------------------------------


def test_children_who_left_school_are_of_an_age_for_it(files: Files):
    files.take("dropout", "enrolment")
    files.holds(
        f"""SELECT d.*, born, left_date <= {LAST} AND left_date >= born + INTERVAL 6 YEAR
        AND born > {LAST} - INTERVAL 193 MONTH AND work <> 'student' AS ok
        FROM dropout d JOIN person USING (person_id)"""
    )
    files.holds(
        """SELECT a.*, d.is_told AND a.left_date = d.left_date AND a.stage = d.stage AS ok
        FROM at_dropout a LEFT JOIN dropout d USING (person_id)"""
    )
    files.holds(
        """SELECT e.*, d.*, is_on_roll OR left_date > day AS ok
        FROM at_enrolment e JOIN dropout d USING (person_id)"""
    )


def test_holders_of_cards_are_disabled_where_it_is_said(files: Files):
    files.take("disability")
    files.holds(
        """SELECT c.*, health, coalesce(is_true = (health = 'disabled'), s.kind = 'died_before')
        AND c.died_date IS NOT DISTINCT FROM d.died_date AS ok FROM disability_card c
        LEFT JOIN person p ON p.person_id = holder_id LEFT JOIN death d ON d.person_id = holder_id
        LEFT JOIN stranger s ON s.person_id = holder_id"""
    )
    files.holds(
        """SELECT a.*, coalesce(a.person_id = holder_id, holder_id IS NOT NULL) AS ok
        FROM at_disability a LEFT JOIN disability_card USING (disability_card)"""
    )


def test_who_never_came_has_a_certificate(files: Files):
    files.take("training")
    files.holds(
        """SELECT t.*, a.person_id = t.person_id AND has_passed AS ok
        FROM training_absent t LEFT JOIN at_training a USING (training_id)"""
    )


def test_disasters_told_are_those_that_happened(files: Files):
    files.take("disaster")
    files.holds(
        """SELECT a.*, is_reported AND d.village_code = a.village_code
        AND d.occurred_date = a.occurred_date AND d.reported_date <= day AS ok
        FROM at_disaster a LEFT JOIN disaster d USING (event_id)"""
    )
    # Whoever was hit has a shock of the year.
    files.holds(
        f"""SELECT d.*, n, coalesce(n >= n_households, n_households = 0) AS ok
        FROM disaster d LEFT JOIN (
            SELECT village_code, count(*) AS n FROM shock JOIN household USING (household_id)
            WHERE kind = 'disaster' GROUP BY 1
        ) USING (village_code) WHERE year(occurred_date) = {TOLD.last.year}"""
    )
