"""Compare figures with their floors in `floors.json`, which are pinned together with the digests of their data.

A floor holds only on the data on which it was measured. It rises when it is pinned again. It falls only on request, and the
changelog must say so.
"""

import json
import math
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("floors.json")
CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"
MARGIN = 0.005
"""What a floor lies below the figure. Runs repeat to the last digit, so this is not for noise: it lets a cluster or two fall
apart, as they may in any honest change. Of the 694 clusters of the story sets, cut in two one at a time, 4 cost more of the
mean F1 (at most .0083), and none of the mean B³; it is two to five pairs of `wire`, and four copies of 900."""
PLACES = 3
CERTAIN = {"seeds", "wire, copies as claimed"}
"""Right or wrong: no margin."""


class Figure(NamedTuple):
    """A figure that was reached, and the digest of each set it was measured on."""

    reached: float
    data: dict[str, str]


class Floor(NamedTuple):
    """What a figure must reach, and the digest of each set it was pinned on."""

    least: float
    data: dict[str, str]


def read_floors(text: str) -> dict[str, Floor]:
    """Return the floors by figure."""
    return {name: Floor(pinned["floor"], pinned["data"]) for name, pinned in json.loads(text).items()}


def written(floors: dict[str, Floor]) -> str:
    """Return the floors as `read_floors` takes them."""
    shown = {name: {"floor": floor.least, "data": floor.data} for name, floor in floors.items()}
    return json.dumps(shown, indent=1, ensure_ascii=False) + "\n"


def verdict(figure: Figure, floor: Floor | None) -> str:
    """Return what is to be said of a figure: nothing where its floor holds, "MISSED" where it does not.

    A floor that was pinned on other data binds no one.
    """
    if floor is None:
        return "no floor"
    if figure.data != floor.data:
        return "pinned on other data"
    return "" if figure.reached >= floor.least else "MISSED"


def rounded_down(reached: float, margin: float) -> float:
    """Return a figure less a margin, rounded down.

    >>> rounded_down(0.8979, 0.005)
    0.892
    """
    return math.floor(round((reached - margin) * 10**PLACES, 6)) / 10**PLACES


def pinned(figures: dict[str, Figure], floors: dict[str, Floor]) -> dict[str, Floor]:
    """Return the floors for what was reached; one that still holds on its data stays where it is higher."""
    found = {}
    for name, figure in figures.items():
        least = rounded_down(figure.reached, 0.0 if name in CERTAIN else MARGIN)
        if name in floors and not verdict(figure, floors[name]):
            least = max(least, floors[name].least)
        found[name] = Floor(least, figure.data)
    return found


def lowered(before: dict[str, Floor], after: dict[str, Floor]) -> dict[str, float]:
    """Return by figure the new floor of those that fall; 0 for those that go."""
    least = {name: after[name].least if name in after else 0.0 for name in before}
    return {name: low for name, low in least.items() if low < before[name].least}


def objections(fallen: dict[str, float], changelog: str, *, lower: bool) -> list[str]:
    """Return why floors may not fall, a sentence for each: it was not asked for, or the changelog does not say it.

    An entry under Unreleased must name the figure and its new floor.
    """
    if not lower:
        return [
            f"{name} would fall to {low}: --lower, and a line in the changelog"
            for name, low in fallen.items()
        ]
    entries = [entry.casefold() for entry in unreleased(changelog)]
    return [
        f"CHANGELOG.md names no floor of {low} for {name} under Unreleased"
        for name, low in fallen.items()
        if not any(name.casefold() in entry and f"{low}".lstrip("0") in entry for entry in entries)
    ]


def unreleased(changelog: str) -> list[str]:
    """Return the entries of the section Unreleased, points and paragraphs, each on one line."""
    _, _, rest = changelog.partition("## Unreleased")
    section, _, _ = rest.partition("\n## ")
    return [" ".join(entry.split()) for entry in section.replace("\n- ", "\n\n").split("\n\n")]
