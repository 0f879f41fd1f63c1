"""Numbers and names that identify made-up people. None is taken from a data set of real ones."""

import numpy as np
import pandas as pd

from synth.plan import Block

# GB 11643-1999: weights of the first seventeen digits, and the check by the sum modulo 11.
WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
CHECKS = np.array(list("10X98765432"))
# Orders of a day and sex for people born in the city; the rest is for those from elsewhere, of
# whom so many towns can be told apart.
NATIVE_ORDERS, OTHER_PARTS = 399, 2_800

# Common surnames, first those found most often; the later ones are frequent among Manchu people.
SURNAMES = np.array(list("王李张刘赵孙杨陈于马周吴徐高郭朱姜宋韩林曹许邓冯董程蔡潘袁田杜丁魏任"))
MANCHU_SURNAMES = np.array(list("关佟那富金白郎唐傅赫舒齐陶安"))
MALE = np.array(list("伟强军明国建华志文德永福海龙成云山林春生贵宝玉庆东学立清亮涛鹏飞宇"))
FEMALE = np.array(list("芳丽秀英兰玉梅桂花凤霞艳红娟敏静淑珍莲云春萍香荣玲慧琴雪月洁婷欣"))


def check_digits(first: np.ndarray) -> np.ndarray:
    """Return the eighteenth character for texts of seventeen digits."""
    digits = first.astype("U17").view("U1").reshape(len(first), 17).astype(np.int64)
    return CHECKS[(digits @ WEIGHTS) % 11]


def id_numbers(
    prefix: np.ndarray, born: np.ndarray, is_male: np.ndarray, is_other: np.ndarray, block: Block
) -> tuple[np.ndarray, np.ndarray]:
    """Return ID numbers (area, day of birth, order of the day, check digit) and days of birth.

    The order is odd for men. As police stations do, each town has orders of its own for those
    born in its city, and for others an order and some days: so no number occurs twice in a
    province, though towns are made one by one. Who finds no order free was born a day earlier.
    """
    day = born.astype("datetime64[D]").astype(np.int64)
    order = np.zeros(len(day), dtype=np.int64)
    for which, lowest, n_orders, part, parts in (
        (~is_other, 0, NATIVE_ORDERS, block.in_city, block.of_city),
        (is_other, NATIVE_ORDERS, 499 - NATIVE_ORDERS, block.number, OTHER_PARTS),
    ):
        rows = np.flatnonzero(which)
        n_own, apart = max(1, n_orders // parts), -(-parts // n_orders)
        first = lowest + (part % n_orders if apart > 1 else part * n_own)
        # Where orders do not suffice, towns that share one have days of their own.
        day[rows] -= (day[rows] - part // n_orders) % apart
        order[rows] = first + _orders(prefix[rows], day, rows, is_male[rows], n_own, apart)
    text = np.char.replace(np.datetime_as_string(day.astype("datetime64[D]"), unit="D"), "-", "")
    number = 2 * order + np.where(is_male, 1, 2)
    first_17 = np.char.add(
        np.char.add(prefix.astype("U6"), text), np.char.zfill(number.astype("U3"), 3)
    )
    numbers = np.char.add(first_17, check_digits(first_17)).astype(object)
    return numbers, day.astype("datetime64[D]")


def _orders(
    prefix: np.ndarray, day: np.ndarray, rows: np.ndarray, is_male: np.ndarray, n_own: int,
    apart: int,
) -> np.ndarray:  # fmt: skip
    """Return the order of each person among those of a prefix, day and sex: less than `n_own`.

    Moves days of birth of `rows` in `day` where more than that share one.
    """
    while True:
        of_day = pd.Series(is_male).groupby([prefix, day[rows], is_male]).cumcount().to_numpy()
        if not (full := of_day >= n_own).any():
            return of_day
        day[rows[full]] -= apart


def village_surnames(villages: int, rng: np.random.Generator, size: int = 12) -> np.ndarray:
    """Return `size` surnames for each village, a few of them often: families live together."""
    pool = np.concatenate([SURNAMES, MANCHU_SURNAMES])
    share = 1 / (3 + np.arange(len(pool)))
    drawn = rng.choice(pool, size=(villages, size // 3), p=share / share.sum())
    return np.repeat(drawn, [6, 3, 2, 1][: size // 3], axis=1)


def given_names(is_male: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return given names of one or, mostly, two characters."""
    n = len(is_male)
    first = np.where(is_male, rng.choice(MALE, n), rng.choice(FEMALE, n))
    second = np.where(is_male, rng.choice(MALE, n), rng.choice(FEMALE, n))
    return np.char.add(first, np.where(rng.random(n) < 0.8, second, ""))
