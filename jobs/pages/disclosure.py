"""Which figures may be shown: none with too few people behind it, and none by subtraction."""

from collections.abc import Sequence


def may_show(part: int, whole: int, at_least: int) -> bool:
    """Tell whether a part of a known whole may be shown.

    Both the part and the rest must be empty or hold `at_least` people: who knows the whole knows
    the rest.
    """
    return all(n == 0 or n >= at_least for n in (part, whole - part))


def shown_cells(
    people: Sequence[int], at_least: int, wholes: Sequence[int] | None = None
) -> list[bool]:
    """Tell which cells of a partition with a known sum may be shown.

    Cells with fewer than `at_least` people are hidden; with `wholes`, each cell is a part of a
    known whole, and see may_show. Where those hidden hold fewer than `at_least` together, the sum
    would give them away: the smallest of the others is hidden too (ties: the first), until they
    hold enough.
    """
    rests = wholes or [2 * n + at_least for n in people]
    shown = [may_show(n, whole, at_least) for n, whole in zip(people, rests, strict=True)]
    while 0 < sum(n for n, is_shown in zip(people, shown, strict=True) if not is_shown) < at_least:
        others = [place for place, is_shown in enumerate(shown) if is_shown and people[place]]
        if not others:
            break
        shown[min(others, key=lambda place: (people[place], place))] = False
    return shown
