"""Names on a map, put where they cover least."""

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT, WIDE, NARROW = 14.0, 12.0, 7.0  # pixels of a line, a Chinese and a Latin letter
# How far the middle of a name may lie from its place: to try in this order.
STEPS = [(0, 0), (0, 1), (0, -1), (0.6, 0), (-0.6, 0), (0.5, 1), (-0.5, 1), (0.5, -1), (-0.5, -1),
         (0, 1.8), (0, -1.8), (0.5, 1.8), (-0.5, 1.8), (0.5, -1.8), (-0.5, -1.8)]  # fmt: skip
# A name over another cannot be read, one over a mark hides it, one outside is cut.
OVER_NAME, OVER_MARK, OUTSIDE, A_STEP = 8.0, 2.0, 40.0, 2.0


@dataclass(frozen=True)
class Label:
    """A name and the middle of its base line, in pixels."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Box:
    """An upright box, in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, x: float, y: float, radius: float) -> "Box":
        """Return the box of a round mark."""
        return cls(x - radius, y - radius, x + radius, y + radius)

    def overlap(self, other: "Box") -> float:
        """Return the area that two boxes share."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        tall = min(self.bottom, other.bottom) - max(self.top, other.top)
        return wide * tall if wide > 0 and tall > 0 else 0.0

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.bottom - self.top)


def placed(
    wanted: Sequence[tuple[float, float, str]], marks: Sequence[Box], frame: Box
) -> list[Label]:
    """Return the names, each near its place, one after the other from the top."""
    taken: list[Box] = []
    labels = []
    for x, y, text in sorted(wanted, key=lambda one: (one[1], one[0], one[2])):
        wide = sum(NARROW if letter.isascii() else WIDE for letter in text)
        tried = []
        for number, (right, down) in enumerate(STEPS):
            box = _box(x + right * wide, y + down * HEIGHT, wide)
            cost = OVER_NAME * sum(box.overlap(other) for other in taken)
            cost += OVER_MARK * sum(box.overlap(mark) for mark in marks)
            cost += OUTSIDE * (box.area - box.overlap(frame)) + A_STEP * number
            tried.append((cost, number, box))
        best = min(tried, key=lambda one: one[:2])[2]
        taken.append(best)
        labels.append(
            Label(round((best.left + best.right) / 2, 1), round(best.bottom - 3, 1), text)
        )
    return labels


def _box(x: float, y: float, wide: float) -> Box:
    return Box(x - wide / 2, y - HEIGHT / 2, x + wide / 2, y + HEIGHT / 2)
