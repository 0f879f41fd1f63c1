"""The mentions of a city's people in six registers, made by Spark: what `make bench-link` links."""

# Share of people in each register: police, insurance, pension, employment, school, the poor.
REGISTERS = (1.0, 0.95, 0.35, 0.45, 0.18, 0.10)
# How often a mention has this wrong or left out: rates of the harsh faults or above them.
ERRORS = {
    "id_no": ("missing", 0.03), "id_wrong": ("digit", 0.02), "name": ("homophone", 0.03),
    "born": ("digit", 0.02), "phone_missing": ("missing", 0.20), "phone": ("other", 0.08),
    "village": ("moved", 0.05),
}  # fmt: skip
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰文建国红梅志新春海波宁贵福山林龙生"
    "凤云莲珍贞莉雪琳晶晨宇浩轩子涵欣怡佳慧美成康星光天达安岩中茂进有坚和彪博诚先敬震振壮"
)
HOMOPHONES = ("丽莉", "伟炜", "静婧", "玉钰", "国囯", "英瑛", "华桦", "红洪", "明铭", "建健")


def made(people: int, seed: int = 1) -> str:
    """Return SQL of all mentions of all registers: who, and what the register says of them."""
    villages = max(10, people // 1500)

    def own(salt: str) -> str:
        return _share("who", salt, seed)

    def drawn(letters: str, salt: str) -> str:
        # A few letters are had by most: the square of a share leans towards the first ones.
        return f"substr('{letters}', int(pow({own(salt)}, 2) * {len(letters)}) + 1, 1)"

    shares = ", ".join(f"{share}D" for share in REGISTERS)
    told = ", ".join(f"{sql} AS {column}" for column, sql in _told(villages, seed).items())
    return f"""
        WITH people AS (
            SELECT id AS who,
                   concat({drawn(SURNAMES, "s")}, {drawn(GIVEN, "g")},
                          if({own("two")} < 0.75, {drawn(GIVEN, "h")}, '')) AS surname_name,
                   date_format(date_add(DATE'1935-01-01', int({own("b")} * 29000)), 'yyyyMMdd')
                       AS born,
                   lpad(int({own("v")} * {villages}), 6, '0') AS village,
                   lpad(int({own("p")} * 1000003) * 97 % 100000000, 8, '0') AS phone_end
            FROM range(0, {people}, 1, 4)
        ), told AS (
            SELECT *, concat('211', lpad(int({own("a")} * 90), 3, '0'), born,
                             lpad(pmod(xxhash64(who, 'n'), 10000), 4, '0')) AS id_no,
                   concat('138', phone_end) AS phone
            FROM people
        ), mentions AS (
            SELECT told.*, register
            FROM told LATERAL VIEW posexplode(array({shares})) r AS register, share
            WHERE {_share("who, register", "in", seed)} < share
        )
        SELECT monotonically_increasing_id() AS row, who, {told}
        FROM mentions
    """


def _share(of: str, salt: str, seed: int) -> str:
    """Return SQL of a number from 0 to 1 that hangs on columns, a salt and a seed."""
    return f"(pmod(xxhash64({of}, '{salt}', {seed}), 1000003) / 1000003D)"


def _told(villages: int, seed: int) -> dict[str, str]:
    """Return SQL of what one register says of one person, with its errors, by column."""

    def chance(salt: str) -> str:
        return _share("who, register", salt, seed)

    def digit(text: str, salt: str, first: int, last: int) -> str:
        at = f"({first} + int({chance(salt + 'at')} * {last - first + 1}))"
        other = f"pmod(int(substr({text}, {at}, 1)) + 1 + int({chance(salt + 'by')} * 9), 10)"
        return f"concat(substr({text}, 1, {at} - 1), {other}, substr({text}, {at} + 1))"

    def if_(error: str, then: str, otherwise: str) -> str:
        return f"if({chance(error)} < {ERRORS[error][1]}, {then}, {otherwise})"

    none = "CAST(NULL AS string)"
    ours, theirs = ("".join(pair[n] for pair in HOMOPHONES) for n in (0, 1))
    other_phone = f"concat('139', lpad(int({chance('x')} * 1000003), 8, '0'))"
    other_village = f"lpad(int({chance('m')} * {villages}), 6, '0')"
    return {
        "id_no": if_("id_no", none, if_("id_wrong", digit("id_no", "id", 7, 18), "id_no")),
        "surname_name": if_(
            "name", f"translate(surname_name, '{ours}', '{theirs}')", "surname_name"
        ),
        "born": if_("born", digit("born", "born", 5, 8), "born"),
        "phone": if_("phone_missing", none, if_("phone", other_phone, "phone")),
        "village": if_("village", other_village, "village"),
    }
