"""Invented news: stories of random words, and what desks do to them (copy, cut, extend, reword, date …).

A story is a function of its number, a version of its change and seed too, so that an example which fails
can be written down in one line. `corpora` is the Hypothesis strategy over such plans.
"""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from dedup.io.articles import to_batches
from dedup.sketches.sketch import Sketches, sketch_batch

Article = dict[str, Any]
Plan = tuple[int, str, int]
"""Which story, what was done to it, and the seed of how."""

CHANGES = (
    "as sent",
    "copied",
    "cut",
    "extended",
    "reworded",
    "retold",
    "retitled",
    "dated",
    "late",
    "undated",
)
FIRST_DAY = datetime(2031, 5, 4, 6, 0, tzinfo=UTC)
SENTENCES = 9
OLD_WORDS = 0.5
"""Of the words of a later chapter, how many the first one has."""
SEEDS = 8
"""Few, so that the same version comes again."""
WORDS = {
    "beginnings of names": """
        Al Bre Cor Dun Esk Fal Gre Hol Im Jor Kel Lor Mar Nor Os Pel Quil Ros Sten Tar Ul Vel Wex
        Yar
    """,
    "endings of names": """
        ba dric fen gate holm ik low mere nock ova pool quist rand sund tam uvia wick zell
    """,
    "plain": """
        accident account agreement aircraft airport album ambulance analyst answer apartment appeal
        apple army artist attack autumn bakery balance ballot bank bargain barrel basement battery
        beach bicycle blanket border bottle branch bridge budget builder burglary cabinet camera
        campaign cancer candle carpet castle cattle ceiling cellar chain champion charity chemist
        choir church cinema clinic closure coach coal coast collapse college column committee
        company complaint concert contract corridor cotton council court cousin crane crater crew
        criminal crossing cruise curtain customs cyclist dairy damage debate debris defence deficit
        delegate delivery deposit desert diamond dinner disease district doctor donor drought dust
        earthquake editor election embassy engine engineer estate evidence exhibition explosion
        export factory farmer ferry festival fever fisherman flood forecast forest fortune fountain
        fraud freight furnace gallery garage garden gas glacier goalkeeper grain grandmother granite
        guitar harbour harvest helicopter heritage highway hostage hotel household ice immigrant
        import income inflation injury inquiry insect inspector insurance island jewel journey judge
        kitchen labour ladder lake laptop lawyer leather lecture leopard library lightning loan
        lobby lottery luggage machine magazine manager marathon market mayor measles meadow medal
        melody merchant metal midnight milk minister mirror monastery mortgage mosaic mountain mud
        museum mushroom nephew newspaper nurse oak oil olive opera orchestra orphan outbreak oxygen
        palace parade parliament passenger patient pension petition pharmacy piano pilot pipeline
        planet plaster poet police pollution pond prison protest pumpkin railway rainfall ransom
        receipt recipe referee refugee rescue reservoir restaurant retirement robbery roof runway
        sailor salmon satellite sausage scandal school sculpture senator sewage sheep shelter
        sheriff shipyard silver smoke soldier stadium steel storm strike subsidy suburb sugar
        surgeon survey suspect swimmer tariff tavern teacher telescope temple tenant theatre thief
        timber tobacco tornado tourist tractor treaty tribunal tunnel turbine uniform vaccine valley
        vineyard violin volcano voter warehouse waterfall weapon wheat widow wolf workshop yacht
    """,
    "small": """
        the of and to in on for with after before from that was were has by at over under near
    """,
    "said": """
        said told warned denied announced agreed promised admitted
    """,
}
BEGINNINGS, ENDINGS, PLAIN, SMALL, SAID = (words.split() for words in WORDS.values())


def name(random: Random) -> str:
    """Return an invented name of a person or a place."""
    return random.choice(BEGINNINGS) + random.choice(ENDINGS)


def sentence(random: Random, cast: list[str]) -> str:
    """Return a sentence about the cast: names, now and then a number, plain words and small ones."""
    words = [random.choice(cast), random.choice(SAID)]
    for _ in range(random.randint(5, 9)):
        words += [random.choice(SMALL), random.choice(PLAIN)]
    if random.random() < 0.5:
        words += ["in", str(random.randint(2, 9_999)), random.choice(PLAIN)]
    return " ".join([*words, "in", random.choice(cast)]) + "."


def shuffled(random: Random, sentence: str) -> str:
    """Return the words of a sentence in another order: what it is about stays, and hardly a word triple."""
    words = sentence.rstrip(".").split(" ")
    random.shuffle(words)
    return " ".join(words) + "."


def story(number: int) -> Article:
    """Return the first version of a story, as its own newsroom sent it."""
    random = Random(number)
    cast = [name(random) for _ in range(4)]
    return {
        "title": " ".join([*cast[:2], *random.sample(PLAIN, 4)]),
        "text": " ".join(sentence(random, cast) for _ in range(SENTENCES)),
        "published": FIRST_DAY + timedelta(hours=random.randrange(48)),
        "source": random.choice(["Norwire", "Coastal Daily", "Inland Tribune"]),
    }


def chapter_of(number: int, chapter: int) -> Article:
    """Return a later chapter of the storyline that a story begins: the same cast some days on, mostly in words of the first."""
    first, random = story(number), Random(1_000_003 * number + chapter)
    cast = list(dict.fromkeys(word for word in first["text"].split() if word[0].isupper()))
    told = [word for word in first["text"].rstrip(".").split() if word in PLAIN]
    words = [random.choice(told if random.random() < OLD_WORDS else PLAIN) for _ in range(8 * SENTENCES)]
    sentences = [
        " ".join([random.choice(cast), random.choice(SAID), *words[k : k + 8], "in", random.choice(cast)])
        for k in range(0, len(words), 8)
    ]
    return {
        **first,
        "title": " ".join([*first["title"].split()[:2], *random.sample(told, 2), *random.sample(PLAIN, 2)]),
        "text": ". ".join(sentences) + ".",
        "published": first["published"] + timedelta(days=chapter, hours=random.randrange(12)),
    }


def version(number: int, change: str, seed: int, chapter: int = 0) -> Article:
    """Return a story, or a later chapter of its storyline, after one change, without an id."""
    article = chapter_of(number, chapter) if chapter else story(number)
    random = Random(1_000 * number + seed)
    sentences = [part + "." for part in article["text"].rstrip(".").replace(". ", ".").split(".")]
    cast = [name(random) for _ in range(3)]
    if change == "cut":
        article["text"] = " ".join(sentences[: random.randint(3, len(sentences) - 1)])
    elif change == "extended":
        article["text"] = " ".join(
            sentences + [sentence(random, cast) for _ in range(random.randint(1, SENTENCES))]
        )
    elif change == "reworded":
        share = random.choice([0.02, 0.05, 0.1])
        article["text"] = " ".join(
            random.choice(PLAIN) if word in PLAIN and random.random() < share else word
            for word in article["text"].split(" ")
        )
    elif change == "retold":
        random.shuffle(sentences)
        article["text"] = " ".join(shuffled(random, sentence) for sentence in sentences)
    elif change == "retitled":
        article["title"] = " ".join([cast[0], *random.sample(PLAIN, 5)])
    elif change in {"dated", "late"}:
        article["published"] += timedelta(days=random.randint(*((0, 6) if change == "dated" else (28, 70))))
    elif change == "undated":
        article["published"] = None
    return article


def corpus(plans: list[Plan]) -> list[Article]:
    """Return the articles of some plans, each with an id that says what it is."""
    return [
        {"id": f"{k:03d} story {number} {change}", **version(number, change, seed)}
        for k, (number, change, seed) in enumerate(plans)
    ]


def planned(articles: int, seed: int, stories: int = 10) -> list[Article]:
    """Return a corpus of so many articles without Hypothesis: the same one for the same seed."""
    random = Random(seed)
    return corpus(
        [
            (random.randrange(stories), random.choice(CHANGES), random.randrange(SEEDS))
            for _ in range(articles)
        ]
    )


def make_storylines(articles: int, seed: int, stories: int = 6, chapters: int = 4) -> list[Article]:
    """Return a corpus of so many articles that tell the chapters of a few storylines: the same for the same seed."""
    random = Random(seed)
    return chapters_of(
        [
            (
                random.randrange(stories),
                random.choice(CHANGES),
                random.randrange(SEEDS),
                random.randrange(chapters),
            )
            for _ in range(articles)
        ]
    )


def chapters_of(plans: list[tuple[int, str, int, int]]) -> list[Article]:
    """Return the articles of some plans, which also say which chapter, each with an id that says what it is."""
    return [
        {"id": f"{k:03d} chapter {chapter} of {number} {change}", **version(number, change, seed, chapter)}
        for k, (number, change, seed, chapter) in enumerate(plans)
    ]


def sagas(most: int = 30, *, stories: int = 3, chapters: int = 5) -> st.SearchStrategy[list[Article]]:
    """Return the strategy over corpora of at most so many articles that tell the chapters of a few storylines."""
    plan = st.tuples(
        st.integers(0, stories - 1),
        st.sampled_from(CHANGES),
        st.integers(0, SEEDS - 1),
        st.integers(0, chapters - 1),
    )
    return st.lists(plan, max_size=most).map(chapters_of)


def corpora(most: int = 30, *, least: int = 0, stories: int = 6) -> st.SearchStrategy[list[Article]]:
    """Return the strategy over corpora of `least` to `most` articles that tell at most `stories` stories."""
    plan = st.tuples(st.integers(0, stories - 1), st.sampled_from(CHANGES), st.integers(0, SEEDS - 1))
    return st.lists(plan, min_size=least, max_size=most).map(corpus)


def batch(articles: list[Article] | list[str]) -> pa.RecordBatch:
    """Return some articles, or texts, as one record batch."""
    (one,) = to_batches(articles)
    return one


def sketched(articles: list[Article] | list[str]) -> Sketches:
    """Return the sketches of some articles, or texts, under the default settings."""
    return sketch_batch(batch(articles))
