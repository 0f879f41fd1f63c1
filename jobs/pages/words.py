"""Chinese words of the pages for names that the machine uses."""

from lakehouse.feed import feeds
from lakehouse.schemas import codes

TABLES = {
    "area": "行政区划",
    "cdr": "通话短信记录",
    "cdr_event": "通话短信事件",
    "cell": "基站小区",
    "consumption_survey": "住户消费调查",
    "household": "户",
    "household_card": "贫困户登记表（户）",
    "household_feature": "户特征",
    "household_identification": "精准识别",
    "home_place": "夜间常驻地",
    "income_item": "收入明细",
    "member_card": "贫困户登记表（成员）",
    "membership": "户籍成员关系",
    "need_capacity_coupling": "需求—能力耦合协调",
    "person": "人口",
    "person_register": "户籍人口登记",
    "poverty_by_area": "分地区贫困状况",
    "poverty_score": "贫困预测得分",
    "project": "扶贫项目库",
    "roster": "建档立卡名册",
    "roster_entry": "在册记录",
    "subscriber_day": "用户日通信",
    "survey_household": "调查户",
    "village_indicator": "村级指标",
}
LAYERS = {"bronze": "原始层", "silver": "明细层", "gold": "结果层"}

# Columns that no delivery has; those of deliveries go by their heads there.
COLUMNS = {
    "amount_cny": "金额",
    "cost_cny": "生产成本",
    "county_code": "县",
    "gross_income_cny": "总收入",
    "household_id": "户",
    "income_rule": "收入测算规则",
    "is_schooling_kept": "义务教育",
    "line_cny": "扶贫标准",
}
WHAT = {
    "above_most": "高于上限",
    "after_as_of": "晚于截至日期",
    "below_least": "低于下限",
    "check_digit": "校验码不符",
    "disagrees_with_code": "与区划代码的级别不符",
    "in_two_households": "同时在两户",
    "malformed": "格式不符",
    "missing": "缺失",
    "missing_indicator": "指标缺失",
    "missing_item": "收入项目不全",
    "no_cost_share": "没有成本比例",
    "no_line": "没有适用的标准",
    "no_member_sheet": "没有成员表",
    "no_rule": "没有适用的规则",
    "not_a_date": "不是日期",
    "not_a_number": "不是数",
    "not_a_time": "不是时间",
    "not_a_whole_number": "不是整数",
    "not_an_area_code": "不是十二位区划代码",
    "no_village_position": "县内没有一个村有位置",
    "not_a_village": "不是村级代码",
    "not_finite": "不是有限数",
    "not_on_register": "户籍登记中查无",
    "outside_period": "不在投递所属的时段",
    "retired_area": "代码已停用",
    "same_as_caller": "与主叫相同",
    "second_card": "一户有两份不同的登记表",
    "unknown_area": "区划中查无此代码",
    "unknown_code": "不在代码表内",
}
# Reasons that stand for a whole row.
ROW = {
    "born_in_living_memory": "出生日期早于1890年",
    "call_has_a_length": "通话缺少时长",
    "code_has_twelve_digits": "区划代码不是十二位",
    "cost_within_income": "成本高于总收入",
    "duplicate_key": "同一主键出现两次且内容不同",
    "ends_after_it_begins": "停用日期不晚于启用日期",
    "gaps_are_ordered": "贫困指数次序不符",
    "has_reasons": "没有理由",
    "has_weight": "调查权数不为正",
    "leaves_after_it_enters": "退出日期不晚于纳入日期",
    "line_too_long": "行过长",
    "not_an_object": "该行不是 JSON 对象",
    "not_json": "该行不是 JSON",
    "nights_fit_the_month": "夜数多于当月天数",
    "repeated_key": "一行内同名键出现两次",
    "wrong_encoding": "编码不符",
    "wrong_field_count": "字段数不符",
    "wrong_line_length": "行长不足",
}
REFUSALS = {
    "control_total": "行数或合计与清单不符",
    "empty_file": "空文件",
    "file_changed": "文件大小或校验和与清单不符",
    "file_missing": "清单所列文件缺失",
    "formula": "工作簿含公式",
    "manifest_disagrees": "清单所属投递类别不符",
    "manifest_unreadable": "清单无法读取",
    "missing_head": "表头缺失或改名",
    "missing_sheet": "工作簿中没有所约定的工作表",
    "no_rows": "只有表头，没有数据",
    "period_malformed": "期别写法不符",
    "repeated_head": "同名表头出现多次",
    "shrunk": "行数比上一份少三成以上，待人工核准",
    "truncated_gzip": "压缩文件被截断",
    "truncated_parquet": "Parquet 文件被截断",
    "truncated_zip": "压缩文件被截断",
    "two_heads": "两个表头对应同一字段",
    "unknown_feed": "未登记的投递类别",
    "unreadable_workbook": "工作簿无法读取",
    "unsafe_path": "清单中的文件名指向别的目录",
    "wrong_encoding": "编码不符",
    "zip_bomb": "解压后过大",
    "zip_locked": "压缩文件有密码",
    "zip_members": "压缩包内不是恰好一个文件",
}
STATES = {
    "duplicate": "不重复入库",
    "held": "待核准",
    "refused": "拒收",
    "rejected": "驳回",
    "superseded": "已被更正的一份取代",
}
MEASURES = {
    "headcount_ratio": "贫困发生率 P0",
    "poverty_gap": "贫困缺口率 P1",
    "squared_gap": "贫困强度 P2",
}
MODELS = {"poverty": "贫困预测"}
COMMITTEES = {
    "村民委员会": "村",
    "村委会": "村",
    "社区居民委员会": "社区",
    "社区居委会": "社区",
}
TRUTH = {
    "households": "户数",
    "true_rural_headcount_ratio": "真实的农村贫困发生率（收入）",
    "estimated_rural_headcount_ratio": "调查推算的农村贫困发生率（收入）",
    "n_sampled": "调查户数",
    "households_truly_poor": "真实贫困户数",
    "households_recommended": "建议纳入户数",
    "exclusion_error": "漏识率：真实贫困户中未建议纳入的占比",
    "inclusion_error": "误纳率：建议纳入户中并不贫困的占比",
    "model_auc": "预测得分的 AUC（全部户，对真实消费贫困）",
}


def table_name(name: str) -> str:
    """Return the Chinese name of a table or feed; its own where there is none."""
    return TABLES.get(name.split(".")[-1], name)


def place_name(name: str) -> str:
    """Return the short name of a place: a village goes by its own, not by its committee's."""
    for committee, short in COMMITTEES.items():
        name = name.replace(committee, short)
    return name


def reason(told: str) -> str:
    """Put a reason of quarantine into words: `person_id:check_digit`, or a rule's name."""
    column, _, what = told.partition(":")
    if not what:
        return ROW.get(told, told)
    return f"{column_name(column)}：{WHAT.get(what, what)}"


def column_name(name: str) -> str:
    """Return what deliveries call a column, shortest head first; its own name where none does."""
    if name in COLUMNS:
        return COLUMNS[name]
    heads = [field.head[0] for feed in feeds().values() for field in feed.fields.values()
             if field.name == name and field.head and not field.head[0].isascii()]  # fmt: skip
    return min(heads, key=lambda head: (len(head), head), default=name)


def lagging(code: str | None) -> str:
    """Name the system that lags."""
    return codes.LAGGING.labels.get(code or "", "大体同步")
