"""An invented newsroom: a wire story that twelve outlets of three groups carry, and what else happens to it.

`make_newsroom` returns the articles in the order in which they are seen. The wire story comes from the agency dpa. Each
group has four outlets, and they keep the credit, drop it, cut the story, or add to it. Beside them stand an independent
report of the same event, a correction, and a version that was changed without a note.
"""

from typing import Any

GROUPS = {"Anker": "anker", "Boje": "boje", "Kompass": "kompass"}
OWNERS = {f"{stem}-{number}.example": group for group, stem in GROUPS.items() for number in range(1, 5)}
"""The group that owns each domain."""

WIRE = [
    "The bridge of Tollan was shut on Monday after a barge struck one of its four piers.",
    "Twelve people were hurt, two of them badly, the harbour office of Tollan said.",
    "The barge carried 340 tonnes of gravel from the quarry at Esk Holm down the river Alvenne.",
    "“We heard a crack like thunder, and then the whole railing leaned over the water,” said Brenna Osterholt, a baker.",
    "Engineers of the state road office will look at the pier on Tuesday with a diving team.",
    "Repairs may cost 2.5 million euros, the mayor, Corvin Lamere, said at a meeting of the town council.",
    "Lorries have to take the road by Quillgate until further notice, which adds forty minutes to the way.",
    "The bridge was built in 1902 and carries about 9,000 cars a day between the two halves of the town.",
    "The captain of the barge, who is 58, had sailed the river for thirty years without an accident.",
    "The water police took a sample of his blood and kept the log of the barge for the inquiry.",
]
CREDIT = "Quelle: dpa"
OWN_REPORT = [
    "Tollan is cut in two: a gravel barge rammed the old bridge on Monday and bent a pier.",
    "At the clinic of Wexmere, doctors treated 14 people, most of them from a bus that had braked hard.",
    "Mayor Corvin Lamere put the damage at 2.5 million euros and asked the state for help.",
    "Our reporter counted six police boats around the barge, which still lay across the river at dusk.",
    "The old bridge had been due for an overhaul next spring, according to papers that this paper has seen.",
]
TALLY = "Twelve people were hurt"


def make_article(name: str, hour: int, sentences: list[str], **others: Any) -> dict[str, Any]:
    """Return an article of the outlet that the id begins with."""
    outlet = name.partition("/")[0]
    return {
        "id": name,
        "title": "Bridge of Tollan shut after a barge strikes a pier",
        "text": "\n\n".join(sentences),
        "published": f"2031-05-05T{hour:02d}:00:00Z",
        "source": outlet,
        "url": f"https://www.{outlet}.example/{name.partition('/')[2] or 'bridge'}",
        **others,
    }


def make_newsroom() -> list[dict[str, Any]]:
    """Return the articles, in the order in which they are seen."""
    outlets = [f"{stem}-{number}" for stem in GROUPS.values() for number in range(1, 5)]
    treatments = [
        [*WIRE, CREDIT],  # the whole story, with its credit
        WIRE,  # the credit is dropped
        WIRE[:8],  # a cut from the end
        [*WIRE, "The ferry at Oskar’s landing runs until midnight this week, the town hall said."],
    ]
    carried = [
        make_article(f"{outlet}/bridge", 8 + number, treatments[number % 4])
        for number, outlet in enumerate(outlets)
    ]
    own = make_article("lotse/bridge", 9, OWN_REPORT, byline="A. Writer")
    corrected = [
        "Correction: an earlier version gave a wrong number of people hurt.",
        *(sentence.replace(TALLY, "Fourteen people were hurt") for sentence in WIRE),
        CREDIT,
    ]
    stealth = [sentence.replace("2.5 million euros", "4.1 million euros") for sentence in WIRE]
    return [
        *carried,
        own,
        make_article("anker-1/bridge", 21, corrected),
        make_article("boje-2/bridge", 13, stealth),
    ]
