"""Closed lists of codes, with the Chinese label that sources and pages use for each."""

from lakehouse.table import CodeList

NATIONAL = "national poverty registration form (贫困户登记表), field notes"

PURPOSES = {
    "identification": "deciding who is helped, and checking those decisions",
    "planning": "deciding where money and projects go",
    "statistics": "measuring poverty; modelling",
    "reference": "places, calendars, lines: no rows about people",
    "linking": "restricted zone: joining identities, never shown",
}

SEX = CodeList("sex", {"male": "男", "female": "女"}, NATIONAL)
LEVEL = CodeList(
    "level",
    {"province": "省", "city": "市", "county": "县", "town": "乡镇", "village": "村"},
)
CORRESPONDENCE = CodeList(
    "correspondence",
    {
        "itself": "代码未变",
        "announced": "公布的变更",
        "same_name_in_town": "同乡镇同名",
        "same_name_in_county": "同县同名",
        "same_name_in_city": "同市同名",
        "same_name_in_province": "同省同名",
        "most_of_its_parts": "下辖区划多数归入",
        "area_above": "仅知上级",
    },
)
NO_CORRESPONDENCE = CodeList(
    "no_correspondence",
    {
        "no_such_name": "无同名区划",
        "several_of_the_name": "同名不止一个",
        "newly_made": "新设",
        "several_became_it": "由多个合并",
    },
)
POPULATION = CodeList("ethnicity", {"han": "汉族", "manchu": "满族", "other": "其他民族"})
EDUCATION = CodeList(
    "education",
    {
        "preschool": "学龄前儿童",
        "illiterate": "文盲半文盲",
        "primary": "小学",
        "junior": "初中",
        "senior": "高中",
        "college": "大专及以上",
    },
    NATIONAL,
)
WORK = CodeList(
    "work",
    {
        "farming": "务农",
        "local_job": "本地务工",
        "migrant": "外出务工",
        "public": "机关事业单位",
        "student": "学生",
        "none": "无业",
    },
)
HUKOU = CodeList("hukou", {"rural": "农业", "urban": "非农业"})
RELATION = CodeList(
    "relation",
    {
        "head": "户主",
        "spouse": "配偶",
        "child": "子女",
        "grandchild": "孙子女",
        "parent": "父母",
        "other": "其他",
    },
    NATIONAL,
)
HEALTH = CodeList(
    "health",
    {"healthy": "健康", "chronic": "长期慢性病", "serious": "大病", "disabled": "残疾"},
    NATIONAL,
)
LABOUR = CodeList(
    "labour",
    {
        "ordinary": "普通劳动力",
        "skilled": "技能劳动力",
        "lost": "丧失劳动力",
        "none": "无劳动力",
    },
    NATIONAL,
)
SCHOOL = CodeList(
    "school",
    {
        "not_in_school": "非在校生",
        "kindergarten": "学前教育",
        "primary": "小学",
        "junior": "七-九年级",
        "senior": "高中",
        "vocational": "中职",
        "college": "大专及以上",
    },
    NATIONAL,
)
YES_NO = CodeList("yes_no", {"true": "是", "false": "否"})
ATTRIBUTE = CodeList(
    "attribute",
    {
        "ordinary": "一般贫困户",
        "dibao": "低保贫困户",
        "wubao": "五保贫困户",
    },
    NATIONAL,
)
CAUSE = CodeList(
    "cause",
    {
        "illness": "因病",
        "disability": "因残",
        "schooling": "因学",
        "disaster": "因灾",
        "land": "缺土地",
        "water": "缺水",
        "skill": "缺技术",
        "labour": "缺劳力",
        "capital": "缺资金",
        "transport": "交通条件落后",
        "motivation": "自身发展力不足",
        "other": "其他",
    },
    NATIONAL,
)
HOUSING_GRADE = CodeList(
    "housing_grade",
    {"A": "A级", "B": "B级", "C": "C级", "D": "D级"},
    "A and B are safe; C and D must be repaired or rebuilt",
)
INCOME_ITEM = CodeList(
    "income_item",
    {
        "wage": "工资性收入",
        "grain": "粮食收入",
        "tobacco": "烤烟收入",
        "livestock": "畜牧收入",
        "fruit": "林果收入",
        "other_crop": "其他种植收入",
        "property": "财产性收入",
        "farm_support": "惠农补贴",
        "ecology": "生态补偿金",
        "dibao": "低保金",
        "family_planning": "计划生育金",
        "other_transfer": "其他转移性收入",
    },
    "income card of 楚雄州 (wenke99 p-3794224)",
)
SCHEME = CodeList("scheme", {"registered_poor": "建档立卡贫困户（2014—2020）"})
ROSTER_STATUS = CodeList("roster_status", {"on": "在册", "exited": "已脱贫", "removed": "清退"})
CONCEPT = CodeList("concept", {"net_income": "纯收入", "consumption": "消费支出"})
PROJECT_KIND = CodeList(
    "project_kind",
    {
        "planting": "种植",
        "breeding": "养殖",
        "processing": "加工",
        "workshop": "扶贫车间",
        "road": "道路",
        "water": "饮水",
        "school": "教育",
        "clinic": "卫生",
    },
)
PROJECT_STATUS = CodeList(
    "project_status", {"planned": "计划", "running": "在建", "accepted": "已验收"}
)
EVENT_KIND = CodeList("event_kind", {"call": "通话", "text": "短信"})
DIRECTION = CodeList("direction", {"out": "主叫", "in": "被叫"})
RECOMMENDATION = CodeList(
    "recommendation",
    {"include": "建议纳入", "leave_out": "建议不纳入", "check": "需入户核实"},
)
REASON = CodeList(
    "reason",
    {
        "income_below_line": "人均纯收入低于扶贫标准",
        "income_not_below_line": "人均纯收入不低于扶贫标准",
        "housing_unsafe": "住房为C级或D级危房",
        "schooling_broken": "6—15岁子女辍学",
        "medical_uncovered": "有成员未参加基本医疗保险",
        "water_unsafe": "饮水不安全",
        "guarantees_met": "“三保障”和饮水均有保障",
        "members_disagree": "户内人数与户籍登记不一致",
        "reported_income_disagrees": "填报纯收入与按公式计算不一致",
    },
)
LAGGING = CodeList(
    "lagging",
    {"living_needs_met": "生活需求满足滞后", "production_capacity": "生产能力滞后"},
)
COUPLING_CLASS = CodeList(
    "coupling_class",
    {
        "极度失调": "极度失调",
        "严重失调": "严重失调",
        "中度失调": "中度失调",
        "轻度失调": "轻度失调",
        "濒临失调": "濒临失调",
        "勉强协调": "勉强协调",
        "初级协调": "初级协调",
        "中级协调": "中级协调",
        "良好协调": "良好协调",
        "优质协调": "优质协调",
    },
    "ten classes of .1, lower-closed (Liao; SPSSAU)",
)
