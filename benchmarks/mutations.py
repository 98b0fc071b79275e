"""Change a text as another desk, a scanner or a careless export would: cut, extended, reworded, mistyped.

A mutation takes a text, a strength and a `random.Random`, and always returns the same text for the same three. Each function
says what its strength means. At any strength above 0 the text changes, unless it contains nothing to change (no word that Britons
spell differently, no accent). Each takes one or two passes over the text. The errors are typical ones: confusions of scanners
(Nagy, Nartker and Rice, *Optical Character Recognition: An Illustrated Guide to the Frontier*, 1999) and slips of typists
(Damerau 1964). Sentences and words are those of scripts that separate words by spaces.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

Change = Callable[[str, float, Random], str]
"""A function that takes a text, a strength and a random generator, and returns the changed text."""


class Mutation(NamedTuple):
    """Something that is done to articles."""

    name: str
    change: Change
    strengths: tuple[float, ...]
    """From mild to harsh."""
    fields: tuple[str, ...] = ("text",)
    """The fields of an article that it changes."""


PARAGRAPH = re.compile(r"[^\n]+\n*")
SENTENCE = re.compile(r"\S.*?(?:(?<=\w{3})[.!?][\"'”’)]*(?=\s)|(?=\n)|\Z)\s*", re.DOTALL)
"""Up to a stop after three letters or more, which an initial or a "Mr." has not, or to the end of its line."""
WORD = re.compile(r"\S+\s*")
CORE = re.compile(r"\w+(?:[-'’.,]\w+)*")
"""A word without what stands around it."""
LETTERS = re.compile(r"[^\W\d_]{1,2}")
"""A letter and the one after it, if any: what a slip may change."""
LONG_WORD = re.compile(r"[^\W\d_]{8,}")
SPELLED = re.compile(r"\b(?:per cent|[a-z]+)\b", re.IGNORECASE)
DATELINE = re.compile(r"\A\s*[A-Z][^\n.]{0,60}?(?:\([^)\n]{2,30}\)\s*(?:[-–—]+\s*)?|\s(?:--|–|—)\s+)")
SLACK = 0.08
"""A cut that no end of a sentence comes so near to (share of the text) is made between words."""

SLIPS = ("swap", "drop", "double", "neighbour")
NEIGHBOURS = {
    key: row[max(place - 1, 0) : place] + row[place + 1 : place + 2]
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for place, key in enumerate(row)
}
"""The keys to the left and to the right of a key."""
CONFUSED = dict(
    pair.split(">")
    for pair in """
        rn>m cl>d li>h ri>n vv>w m>rn w>vv d>cl n>ri u>ii h>b b>h e>c c>e l>1 i>l a>o o>0 s>5 t>f f>t
        g>q y>v v>y r>i p>n k>lc I>l O>0 S>5 B>8 D>O G>6 Z>2 T>7 C>G E>F H>N 0>O 1>l 2>Z 5>S 6>G 8>B
    """.split()
)
"""What a scanner sees, and what it reads."""
CONFUSING = re.compile("|".join(CONFUSED))
BRITISH = """
    aeroplane ageing aluminium analyse apologise armour authorise behaviour burnt cancelled catalogue
    centre centres characterise civilisation colour colours counsellor criticise criticised
    defence dialogue emphasise endeavour enrol favour favourite fibre flavour fuelled fulfil grey
    harbour honour humour instalment jewellery judgement kilometre kilometres labelled labour learnt
    legalise licence litre litres manoeuvre metre metres mobilise modelling mum neighbour neighbours
    neighbourhood offence organisation organisations organise organised paralyse plough
    privatise programme programmes realise realised recognise recognised rumour sceptical signalled
    skilful stabilise summarise theatre totalled towards travelled traveller travelling
    vapour
""".split()
AMERICAN = """
    airplane aging aluminum analyze apologize armor authorize behavior burned canceled catalog
    center centers characterize civilization color colors counselor criticize criticized
    defense dialog emphasize endeavor enroll favor favorite fiber flavor fueled fulfill gray
    harbor honor humor installment jewelry judgment kilometer kilometers labeled labor learned
    legalize license liter liters maneuver meter meters mobilize modeling mom neighbor neighbors
    neighborhood offense organization organizations organize organized paralyze plow
    privatize program programs realize realized recognize recognized rumor skeptical signaled
    skillful stabilize summarize theater totaled toward traveled traveler traveling
    vapor
""".split()
SPELLINGS = {
    one: other
    for pair in [("per cent", "percent"), *zip(BRITISH, AMERICAN, strict=True)]
    for one, other in (pair, pair[::-1])
}
"""Each word that Britons and Americans spell differently, and how the others spell it."""

STRAIGHT = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "—": "--", "–": "-", "…": "..."})
OPENING_QUOTES = re.compile(r"""(?<![^\s(\["'])(["'])(?=\w)""")
CURLED = str.maketrans({'"': "”", "'": "’"})
ENTITIES = str.maketrans(
    {
        "&": "&amp;",
        '"': "&quot;",
        "'": "&#39;",
        "“": "&ldquo;",
        "”": "&rdquo;",
        "‘": "&#8216;",
        "’": "&#8217;",
        "–": "&ndash;",
        "—": "&mdash;",
        "<": "&lt;",
        ">": "&gt;",
    }
)
SPACE = re.compile(" ")

DATELINES = (
    "{place} ({agency}) - ",
    "{place} ({agency}) — ",
    "{place}, {day} ({agency}) -- ",
    "{place}, {day} /{agency}/ - ",
    "({agency}) – ",
    "{place} — ",
    "{agency}, {place}: ",
    "By a staff reporter of {agency}\n\n{place}. ",
)
PLACES = "LONDON WASHINGTON BRUSSELS CHICAGO PARIS MOSCOW BEIJING OTTAWA DALLAS SYDNEY DUBLIN MANILA".split()
AGENCIES = "Reuters AP AFP UPI dpa Xinhua Bloomberg EFE ANSA Kyodo Norwire".split()
MONTHS = "Jan Feb March April May June July Aug Sept Oct Nov Dec".split()


def amount(share: float, places: int) -> int:
    """Return how many of some places a share of them is: at least one, where there is one."""
    return min(max(1, round(share * places)), places)


def cut(text: str, strength: float, _random: Random, *, where: float = 0.0) -> str:
    """Return the share `strength` of the text: its beginning (`where` 0), its middle (.5) or its end (1).

    The cut is at the ends of sentences where they come near enough, else between words.
    """
    kept = text
    for pattern in (SENTENCE, WORD):
        pieces = pattern.findall(text)
        ends = list(accumulate((len(piece.split()) for piece in pieces), initial=0))
        words = ends[-1]
        begin = where * (1 - strength) * words
        first = nearest(ends, begin)
        last = min(max(nearest(ends, begin + strength * words), first + 1), len(pieces))
        kept = "".join(pieces[first:last]).strip()
        if last - first < len(pieces) and abs(ends[last] - ends[first] - strength * words) <= SLACK * words:
            break
    return kept


def nearest(ends: list[int], place: float) -> int:
    """Return the index of the number that is nearest to `place`, the first of equals."""
    return min(range(len(ends)), key=lambda k: abs(ends[k] - place))


def extended(texts: Sequence[str], text: str, strength: float, random: Random) -> str:
    """Return the text and, after it, as much of other texts as `strength` times its words."""
    wanted = max(1, round(strength * len(text.split())))
    parts, taken = [text], 0
    while taken < wanted:
        other = random.choice(texts)
        share = (wanted - taken) / max(len(other.split()), 1)
        parts.append(other if share >= 1 else cut(other, share, random))
        taken += max(len(parts[-1].split()), 1)
    return "\n\n".join(parts)


def pieces_of(text: str, patterns: tuple[re.Pattern[str], ...]) -> tuple[list[str], list[str]]:
    """Return (pieces, the gaps after them) by the first of the patterns that finds three pieces, or else by the last."""
    found: list[str] = []
    for pattern in patterns:
        found = pattern.findall(text)
        if len(found) >= 3:
            break
    pieces = [piece.rstrip() for piece in found]
    return pieces, [whole[len(piece) :] for whole, piece in zip(found, pieces, strict=True)]


def thinned(text: str, strength: float, random: Random) -> str:
    """Return the text without the share `strength` of its sentences."""
    pieces, gaps = pieces_of(text, (SENTENCE, WORD))
    count = min(amount(strength, len(pieces)), max(len(pieces) - 1, 0))
    gone = set(random.sample(range(len(pieces)), count))
    left = [piece + gap for k, (piece, gap) in enumerate(zip(pieces, gaps, strict=True)) if k not in gone]
    return "".join(left).rstrip()


def reordered(
    text: str, strength: float, random: Random, *, patterns: tuple[re.Pattern[str], ...] = (SENTENCE, WORD)
) -> str:
    """Return the text with the share `strength` of its sentences (of the pieces by `patterns`) put in each other's places."""
    pieces, gaps = pieces_of(text, patterns)
    places = random.sample(range(len(pieces)), min(max(2, round(strength * len(pieces))), len(pieces)))
    moved = list(pieces)
    for place, other in zip(places, places[1:] + places[:1], strict=True):
        moved[place] = pieces[other]
    return "".join(piece + gap for piece, gap in zip(moved, gaps, strict=True))


def edited(
    text: str, places: list[re.Match[str]], count: int, edit: Callable[[str], str], random: Random
) -> str:
    """Return the text with `count` of the places, drawn at random, edited."""
    parts, end = [], 0
    for k in sorted(random.sample(range(len(places)), min(count, len(places)))):
        parts += [text[end : places[k].start()], edit(places[k][0])]
        end = places[k].end()
    return "".join([*parts, text[end:]])


def reworded(words: Sequence[str], text: str, strength: float, random: Random) -> str:
    """Return the text with the share `strength` of its words replaced by others from `words`."""
    places = list(CORE.finditer(text))
    return edited(text, places, amount(strength, len(places)), partial(another, words, random), random)


def another(words: Sequence[str], random: Random, word: str) -> str:
    """Return a word drawn from `words` that is not `word`, which stays only where there is no other to be had."""
    tries = (random.choice(words) for _ in range(100))
    return next((drawn for drawn in tries if drawn.lower() != word.lower()), word)


def reheadlined(words: Sequence[str], title: str, strength: float, random: Random) -> str:
    """Return the title in another order, the share `strength` of its words replaced by others from `words`."""
    told = reworded(words, title or random.choice(words), strength, random).split()
    random.shuffle(told)
    return " ".join(told)


def redatelined(text: str, _strength: float, random: Random) -> str:
    """Return the text with another dateline before its first word, or another agency's credit."""
    bare = DATELINE.sub("", text, count=1).lstrip()
    day = f"{random.choice(MONTHS)} {random.randint(1, 28)}"
    form = random.choice(DATELINES)
    put = form.format(place=random.choice(PLACES), agency=random.choice(AGENCIES), day=day) + bare
    return put if put != text else redatelined(text, 1.0, random)


def mistyped(text: str, strength: float, random: Random) -> str:
    """Return the text with a slip of the keyboard at the share `strength` of its characters."""
    places = list(LETTERS.finditer(text))
    count = amount(strength, len(text) - text.count(" "))
    return edited(text, places, count, lambda pair: slip(pair, random), random)


def slip(pair: str, random: Random) -> str:
    """Return one or two letters after a slip at the first: swapped, dropped, doubled, or the key beside it."""
    kind, first = random.choice(SLIPS), pair[0]
    beside = NEIGHBOURS.get(first.lower())
    if kind == "swap" and pair[::-1] != pair:
        return pair[::-1]
    if kind == "drop":
        return pair[1:]
    if kind == "neighbour" and beside:
        key = random.choice(beside)
        return (key.upper() if first.isupper() else key) + pair[1:]
    return first + pair


def scanned(text: str, strength: float, random: Random) -> str:
    """Return the text with the share `strength` of its characters misread, and of its long words broken at a line's end."""
    places = list(CONFUSING.finditer(text))
    count = amount(strength, len(text) - text.count(" "))
    misread = edited(text, places, count, CONFUSED.__getitem__, random)
    long = list(LONG_WORD.finditer(misread))
    return edited(misread, long, amount(strength, len(long)), broken, random)


def broken(word: str) -> str:
    """Return a word broken in two at the end of a line."""
    return f"{word[: len(word) // 2]}-\n{word[len(word) // 2 :]}"


def respelled(text: str) -> str:
    """Return the text with British words spelled as Americans do, and American ones as Britons do."""
    return SPELLED.sub(lambda found: other_spelling(found[0]), text)


def other_spelling(word: str) -> str:
    """Return the word as it is spelled across the ocean, capitals kept; the word itself where that is the same."""
    other = SPELLINGS.get(word.lower(), word)
    if other is word or word.islower():
        return other
    return other.upper() if word.isupper() else other.capitalize()


def retypeset(text: str) -> str:
    """Return the text with curly quotes and long dashes made straight, or, where there are none, the other way round."""
    straight = text.translate(STRAIGHT)
    if straight != text:
        return straight
    opened = OPENING_QUOTES.sub(lambda quote: "“" if quote[0] == '"' else "‘", text)
    return opened.translate(CURLED).replace("--", "—").replace(" - ", " – ").replace("...", "…")


def escaped(text: str, strength: float, random: Random) -> str:
    """Return the text with its marks as HTML entities, and the share `strength` of its spaces as well."""
    marked = text.translate(ENTITIES)
    spaces = list(SPACE.finditer(marked))
    return edited(marked, spaces, amount(strength, len(spaces)), lambda _space: "&nbsp;", random)


def unaccented(text: str) -> str:
    """Return the text with its letters bare of accents."""
    if text.isascii():
        return text
    bare = (c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", "".join(bare))


def always(change: Callable[[str], str]) -> Change:
    """Return a change that knows no strength and draws nothing as one that is told both."""
    return lambda text, _strength, _random: change(text)


def mutations_of(texts: Sequence[str]) -> tuple[Mutation, ...]:
    """Return all mutations; the words and passages that they put in are drawn from `texts`, as often as they stand there."""
    words = [word for text in texts for word in CORE.findall(text)]
    whole, all_of_it = ("title", "text"), (1.0,)
    return (
        Mutation("cut to its first", cut, (0.8, 0.6, 0.4, 0.3, 0.2)),
        Mutation("cut to its middle", partial(cut, where=0.5), (0.6, 0.3)),
        Mutation("cut to its last", partial(cut, where=1.0), (0.6, 0.3)),
        Mutation("extended by", partial(extended, texts), (0.2, 0.5, 1.0)),
        Mutation("sentences dropped", thinned, (0.1, 0.3, 0.5)),
        Mutation("sentences reordered", reordered, (0.3, 1.0)),
        Mutation("paragraphs reordered", partial(reordered, patterns=(PARAGRAPH, SENTENCE, WORD)), all_of_it),
        Mutation("words replaced", partial(reworded, words), (0.05, 0.1, 0.2, 0.3), whole),
        Mutation("re-headlined", partial(reheadlined, words), (0.5, 1.0), ("title",)),
        Mutation("without headline", always(lambda _title: ""), all_of_it, ("title",)),
        Mutation("re-datelined", redatelined, all_of_it),
        Mutation("typing noise", mistyped, (0.01, 0.03, 0.05), whole),
        Mutation("OCR noise", scanned, (0.01, 0.03, 0.05), whole),
        Mutation("spelling across the ocean", always(respelled), all_of_it, whole),
        Mutation("quotes and dashes", always(retypeset), all_of_it, whole),
        Mutation("HTML entities left in", escaped, (0.01, 0.1), whole),
        Mutation("all upper case", always(str.upper), all_of_it, whole),
        Mutation("accents lost", always(unaccented), all_of_it, whole),
    )


def mutated(article: dict[str, Any], mutation: Mutation, strength: float, random: Random) -> dict[str, Any]:
    """Return the article with the fields of the mutation changed; a field that is missing or empty stays so."""
    changed = {
        field: mutation.change(article[field], strength, random)
        for field in mutation.fields
        if article.get(field)
    }
    return {**article, **changed}
