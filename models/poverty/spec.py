"""The model `poverty`: a proxy-means test of every registered household."""

from lakehouse.model import Gate, ModelSpec, Quota, Target
from lakehouse.schemas.identification import HouseholdFeature
from lakehouse.schemas.income import SurveyHousehold
from lakehouse.schemas.people import RosterEntry


class Poverty(
    ModelSpec,
    features=HouseholdFeature,
    columns=(
        "village_code",
        "n_members",
        "n_children",
        "n_elderly",
        "n_students",
        "n_workers",
        "n_migrants",
        "dependency_share",
        "head_age",
        "is_head_female",
        "has_public_job",
        "schooling_years",
        "best_schooling_years",
        "village_n_subscribers",
        "village_active_days",
        "village_contacts",
        "village_call_s",
    ),
    place="village_code",
    groups=("is_minority", "is_head_female"),
    target=Target(
        SurveyHousehold,
        column="consumption_cny",
        weight="weight",
        where="survey_year = year(DATE'{as_of}')",
    ),
    quota=Quota(
        RosterEntry,
        where="scheme = '{scheme}' AND valid_from <= DATE'{as_of}' "
        "AND (valid_to IS NULL OR valid_to > DATE'{as_of}')",
    ),
    gate=Gate("auc", over_geography=0.05, below_champion=0.01),
    parameters=("scheme", "shrink_households"),
    needs=("numpy", "pandas", "scikit-learn"),
    owner="model owners",
    use=(
        "To order households for a visit, and to ask why a household predicted among the poorest "
        "is not on the list, or the other way round."
    ),
    limits=(
        "It decides nothing. It knows a household by its register and its village by its "
        "telephones: misfortune that neither shows (illness, debt, a lost harvest) it cannot see. "
        "Held-out households share villages with those it was fitted to, so its error in a village "
        "without a survey may be larger. It is as good as the survey of its year."
    ),
):
    """Predict consumption per head and year of every registered household.

    A proxy-means test: ridge regression of the logarithm of consumption per head on what the
    register tells of the members and what telephones tell of the village, with an effect of
    county and town, weighted as the survey weighs its households. The score is the exponent of
    the predicted logarithm, in yuan: the middle of what such a household consumes rather than its
    mean. Lower means poorer.

    A missing value (a village without a located subscriber, a household without adults or head)
    is replaced inside the model by the mean of the households it was fitted to, and an effect of
    its being missing is fitted beside it. Every effect is a number in model.json, in log points
    per unit.

    Whether the household belongs to a minority is no input: errors are told by it, and by the sex
    of the head and the town. The poor are as many of the poorest held-out households, by the
    survey, as the roster lists of all; as many are chosen by the score. By that identity both
    errors of the quota are one, but for the weight of the household at its edge. Geography alone
    is the mean of the town.
    """
