"""Put a digest of stories before genuine articles, and count those it swallows: `python -m benchmarks.poison --data FOLDER`.

A digest is one article that holds k stories: their whole texts, their leads, or their titles alone. It tells none of them, so
it must not become the kept article of any. A trial takes k stories of a set, makes the digest of their first tellings, and
dates it before 40 genuine articles: all tellings of the k stories, copies of them as other desks print them (cut, extended,
re-headlined), and articles of other stories. A genuine article is swallowed if it is dropped for the digest. Each is put to the
digest alone, so that no other kept article shields it.

In the other direction the digest comes last, and must not be dropped as an extension of a story: it holds others.

The sets are labelled stories of `--data` and the invented newsroom of `examples`; in `background` each article is a story.
"""

import argparse
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from benchmarks import data
from benchmarks.mutations import cut, extended, mutations_of
from dedup import Settings
from dedup.io.articles import to_batches
from dedup.matching.classifier import FOLLOWUP, NO_RELATION, classify_articles
from dedup.matching.match_params import make_match_params
from dedup.pipeline.deduplicate import sketch_with_settings
from dedup.settings.settings import RELATIONS

SETS = ("newsroom", "outlets", "events", "background")
NEWSROOM = Path(__file__).parents[1] / "examples" / "newsroom.jsonl"
STORY_COUNTS = (2, 5, 20)
LATER_ARTICLES = 40
OTHER_ARTICLES = 8
"""How many of the later articles, at least, are of other stories."""
TRIALS = 25
MIN_WORDS = 60
"""Shorter articles are not quoted: they are no longer than a lead."""
LEAD_WORDS = 60
FIRST_DAY = datetime(2031, 3, 3, 6, tzinfo=UTC)
LATEST_HOURS = 36
DIGEST_TITLES = ("Morning briefing: the stories of the day", "News in brief", "What you need to know today")

Article = dict[str, Any]


class Outcome(NamedTuple):
    """Counts of one kind of digest, by relation."""

    swallowed: Counter[str]
    """Genuine articles that come after the digest and are dropped for it."""
    worst: int
    """The most that one digest swallows."""
    dropped: Counter[str]
    """Digests that come after a genuine article and are dropped for one."""


def read_stories(name: str) -> list[list[Article]]:
    """Return the stories of a set, each the list of its tellings."""
    lines = NEWSROOM.read_text("utf-8").splitlines() if name == "newsroom" else None
    records = [json.loads(line) for line in lines] if lines else data.lines(name)
    stories = defaultdict(list)
    for record in records:
        if len(record["text"].split()) >= MIN_WORDS and record["title"]:
            stories[record.get("story", record["id"])].append(record)
    return list(stories.values())


def make_digest(articles: list[Article], part: str, random: Random) -> Article:
    """Return an article that holds a part of each of some articles: the whole text, the lead or the title."""
    pieces = [quote_part(article, part) for article in articles]
    return {
        "id": "digest",
        "title": random.choice(DIGEST_TITLES),
        "text": "\n\n".join(pieces),
        "published": FIRST_DAY.isoformat(),
        "language": articles[0].get("language"),
    }


def quote_part(article: Article, part: str) -> str:
    """Return the part of an article that a digest quotes, under its title."""
    if part == "titles":
        return str(article["title"]) + "."
    text = str(article["text"])
    return f"{article['title']}\n\n{text if part == 'texts' else ' '.join(text.split()[:LEAD_WORDS])}"


def draw_later(stories: list[list[Article]], others: list[list[Article]], random: Random) -> list[Article]:
    """Return the genuine articles that come after a digest of `stories`: their tellings, copies of these, and other articles."""
    told = [article for story in stories for article in story]
    random.shuffle(told)
    wanted = LATER_ARTICLES - OTHER_ARTICLES
    copies = [reprint(random.choice(told), others, random) for _ in range(wanted - len(told))]
    rest = [article for story in others for article in story]
    chosen = [*told[:wanted], *copies]
    chosen += random.sample(rest, min(LATER_ARTICLES - len(chosen), len(rest)))
    return [date_article(article, k, random) for k, article in enumerate(chosen)]


def reprint(article: Article, others: list[list[Article]], random: Random) -> Article:
    """Return a copy of an article as another desk prints it: cut, extended, or under another headline."""
    kind = random.choice(("cut", "extended", "re-headlined"))
    if kind == "cut":
        return {**article, "text": cut(article["text"], random.choice((0.3, 0.6)), random)}
    texts = [story[0]["text"] for story in others[:20]]
    if kind == "extended":
        return {**article, "text": extended(texts, article["text"], 0.2, random)}
    (change,) = (m for m in mutations_of(texts) if m.name == "re-headlined")
    return {**article, "title": change.change(article["title"], 0.5, random)}


def date_article(article: Article, k: int, random: Random) -> Article:
    """Return an article under an id of its own, dated some hours after the digest."""
    published = FIRST_DAY + timedelta(hours=random.uniform(1, LATEST_HOURS))
    fields = {name: article.get(name) for name in ("title", "text", "language")}
    return {"id": f"later {k}", **fields, "published": published.isoformat()}


def find_joins(articles: list[Article], *, undated: bool) -> tuple[Counter[str], Counter[str]]:
    """Return the relations of later articles to a digest, which comes first, and of the digest to them; those that join.

    Articles without dates join as follow-ups too, as in a small storyline of a corpus without dates.
    """
    settings = Settings()
    (batch,) = to_batches([{**article, "published": None} for article in articles] if undated else articles)
    sketches, params = sketch_with_settings(batch, settings), make_match_params(settings)
    swallowed: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    for k in range(1, len(articles)):
        for kept, other, found in ((0, k, swallowed), (k, 0, dropped)):
            relation, _, _ = classify_articles(sketches, kept, other, params)
            if relation != NO_RELATION and (undated or relation != FOLLOWUP):
                found[RELATIONS[relation]] += 1
    return swallowed, dropped


def run_trials(stories: list[list[Article]], part: str, count: int, trials: int, *, undated: bool) -> Outcome:
    """Return what digests of `count` stories swallow in some trials."""
    swallowed: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    worst = 0
    for trial in range(trials):
        random = Random(f"{part} {count} {trial}")
        drawn = random.sample(stories, len(stories))
        quoted, others = drawn[:count], drawn[count : count + 2 * LATER_ARTICLES]
        digest = make_digest([story[0] for story in quoted], part, random)
        before, after = find_joins([digest, *draw_later(quoted, others, random)], undated=undated)
        swallowed += before
        dropped += Counter([max(after, key=lambda relation: after[relation])] if after else [])
        worst = max(worst, before.total())
    return Outcome(swallowed, worst, dropped)


def format_counts(counts: Counter[str], trials: int) -> str:
    """Return counts by relation, each as a mean of the trials."""
    return ", ".join(f"{relation} {n / trials:.1f}" for relation, n in sorted(counts.items()))


def main() -> None:
    """Print a line for each set, part and number of stories."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=data.FOLDER)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--undated", action="store_true", help="leave the dates out")
    options = parser.parse_args()
    data.FOLDER = options.data
    print(f"of {LATER_ARTICLES} later articles, means of {options.trials} digests")
    print(f"{'set':12}{'holds':8}{'stories':>8}{'swallowed':>11}{'worst':>7}{'dropped':>9}  relations")
    for name in options.sets.split(","):
        stories = read_stories(name)
        for part in ("texts", "leads", "titles"):
            for count in STORY_COUNTS:
                seen = run_trials(stories, part, count, options.trials, undated=options.undated)
                mean, dropped = seen.swallowed.total() / options.trials, seen.dropped.total() / options.trials
                print(
                    f"{name:12}{part:8}{count:8}{mean:11.2f}{seen.worst:7}{dropped:9.2f}"
                    f"  {format_counts(seen.swallowed, options.trials)}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
