import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import story

from dedup.text.boilerplate import rules
from dedup.text.boilerplate.rules import (
    ANYWHERE_RULES,
    LINE_RULES,
    clean_text_lines,
    clean_texts,
    clean_titles,
    clean_whole_texts,
    find_boilerplate,
    load_line_scanner,
)


@pytest.fixture(params=["candidate lines", "whole texts"], autouse=True)
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clean with Hyperscan, and as where it is not installed."""
    if request.param == "whole texts":
        monkeypatch.setattr(rules, "load_line_scanner", lambda: None)


BEFORE = "The old bridge over the Senn was closed on Thursday after a crack was found."
AFTER = "Engineers said on Friday that it would stay shut until the autumn at least."

BOILERPLATE = {
    "entity": ["&amp;", "&nbsp;", "&#8217;", "&rdquo;"],
    "markup": [
        "<br/>",
        '<a href="/x">',
        "</div>",
        "https://news.example/a?b=1",
        "[caption id=4]",
        "[pullquote]",
    ],
    "gate": [
        "To continue reading this article, please sign in.",
        "Subscribe to continue reading. Cancel at any time.",
        "Already a subscriber? Log in here.",
        "This article is for subscribers only.",
        "Jetzt weiterlesen mit Plus. Sie haben bereits ein Abo? Anmelden",
        "Il vous reste 75 % de cet article à lire. La suite est réservée aux abonnés.",
        "Contenido exclusivo para suscriptores.",
    ],
    "picture": [
        "(AP Photo/Jane Quist)",
        "(Photo: Ola Fennwick)",
        "Image copyright Norwire Pictures",
        "Photo by Ola Fennwick",
        "FILE PHOTO: The bridge in winter.",
        "Foto: Ola Fennwick",
        "Enlarge this image",
        "Crédit photo : Ola Fennwick",
    ],
    "stamp": [
        "Posted: Tuesday, January 28, 2031 8:18 PM EST",
        "| Published April 4, 2031",
        "Norwire | Updated: 2031-09-15 17:52",
        "Last updated 3 March 2031",
        "Aktualisiert: 2031-03-03 12:30",
        "Publié le 3 mars 2031",
    ],
    "button": [
        "Share",
        "SHARE",
        "Share this article",
        "Facebook | Twitter | WhatsApp | Email",
        "• Tweet",
        "ADVERTISEMENT",
        "Skip to content",
        "Teilen",
        "Partager",
        "Compartir",
        "Поделиться",
        "分享",
        "شارك",
    ],
    "navigation": ["Home » Politics » Bridge closed", "by admin", "By Web Desk"],
    "more": [
        "Read more: Cats of the year",
        "Related stories",
        "READ ALSO: Cats of the year",
        "Lesen Sie auch: Die Katzen des Jahres",
        "Lire aussi : Les chats de l'année",
        "Leggi anche: I gatti dell'anno",
        "Читайте также: Коты года",
        "関連記事",
        "相关阅读：年度猫咪",
        "Recommended for you\n- Cats of the year\n- Dogs of the year",
    ],
    "continues": [
        "Story continues below advertisement",
        "Article continues after the break",
        "Continue reading",
    ],
    "plea": [
        "Sign up for our morning newsletter!",
        "Subscribe to our newsletter and never miss a story.",
        "Follow us on Twitter.",
        "Get the latest headlines in your inbox every day.",
        "Click here to see more of our pictures.",
        "Download our free app.",
        "Abonnez-vous à notre lettre du matin.",
        "Suscríbete a nuestro boletín.",
        "Подпишитесь на наш канал.",
        "关注我们",
    ],
    "comment": [
        "Be the first to comment",
        "Leave a reply",
        "Comments are closed.",
        "View all comments",
        "What do you think? Have your say.",
        "Оставить комментарий",
    ],
    "rights": [
        "Copyright 2031 Norwire. All rights reserved.",
        "© 2031 Coastal Daily",
        "This material may not be published, broadcast or rewritten.",
    ],
    "contributors": [
        "The Associated Press contributed to this report.",
        "Ola Fennwick in Port Ellery contributed to this story.",
        "Reporting by Ola Fennwick; Editing by Jane Quist",
        "Additional reporting by Ola Fennwick",
        "-- Port Ellery Newsroom",
    ],
    "caption": [
        "The bridge over the Senn on Thursday. REUTERS/Ola Fennwick via Getty Images",
        "The mayor of Averstone at the bridge. Ola Fennwick/AP",
        "Cars queue at the bridge. Photo: Getty",
        "Cars queue at the bridge. © Getty Images",
    ],
    "byline": [
        "By Ola Fennwick",
        "By OLA FENNWICK, Staff Writer",
        "BY JANE QUIST",
        "Von Ola Fennwick",
        "Par Jeanne Quist",
    ],
}
"""For each rule, lines that are boilerplate and nothing else."""

INLINE = {
    "agency": [
        (f"{BEFORE} [CNN]", BEFORE),
        ("The bridge stays shut, the ministry said. (Reuters)", "The bridge stays shut, the ministry said."),
        ("Queues at the bridge (Getty Images)", "Queues at the bridge"),
        (f"{BEFORE} [AP].", BEFORE),
    ],
    "dateline": [
        (f"LONDON (Reuters) - {BEFORE}", BEFORE),
        (f"PORT ELLERY, April 4 (AP) -- {BEFORE}", BEFORE),
        (f"(CNN) -- {BEFORE}", BEFORE),
        (f"(Reuters) – {BEFORE}", BEFORE),
        (f"Moscow, Russia —{BEFORE}", BEFORE),
        (f"PARIS — {BEFORE}", BEFORE),
        (f"ST. OSK, Norland – {BEFORE}", BEFORE),
        (f"NEW YORK, Nov 3 (Norwire) - {BEFORE}", BEFORE),
    ],
    "picture": [(f"{BEFORE} (AP Photo/Jane Quist)", BEFORE)],
    "gate": [(f"{BEFORE} To continue reading, log in. Plans start at 3 crowns.", BEFORE)],
}
"""For each rule, lines with boilerplate in them, and what is left."""

STORY = [
    "Share prices fell for a third day as traders waited for the bank.",
    "Shares in Kelmora rose 4 percent.",
    "Sharing a flat has become the rule in Averstone.",
    "Print is dead, said the editor, and laughed.",
    "Facebook said it would appeal against the fine.",
    "Twitter and Facebook were asked to delete the video.",
    "Comments by the minister caused anger in the valley.",
    "Comments made by the minister on Monday caused anger.",
    "Search teams found the boat at dawn.",
    "Video of the storm showed roofs flying over Tarn Hollow.",
    "Photos of the storm were seen by millions.",
    "More than 300 people left their homes.",
    "Home prices rose 3 percent in a year.",
    "Subscribe to it or not, it is clear. Two burned. A third was saved. The fourth has stood empty since.",
    "Getting the ferry back into service will take a year.",
    "Follow the money, she told the court, and you will find the pension fund.",
    "Related claims were settled last year for 3 million crowns.",
    "Related stories of neglect came from two other homes in the valley, the inquiry heard.",
    "Recommended by doctors for years, the pills are now banned.",
    "See also what happened in 1974, when the same dam broke, said the historian.",
    "Published in 1974, the novel sold four million copies.",
    "Updated figures show that 14 people died.",
    "Created by a chemist, the paint glows at night.",
    "Posted to the island in 2019, he learned the language in a year.",
    "The story continues in court on Monday.",
    "The Associated Press was founded in 1846.",
    "The photograph by Ola Fennwick hangs in the museum.",
    "Reporting from the front has become dangerous, the union said.",
    "By Monday the water had gone.",
    "By Friday Evening Mass the church was full again.",
    "By the time help came, the house had burned down.",
    "Register to vote by Friday, the council reminded citizens.",
    "Watch what happens, he said: nobody will pay.",
    "Join the army, his father had told him.",
    "Support for the party fell to 12 percent.",
    "Sign language was used throughout the trial.",
    "Stay at home, the governor told the people of Lorrimer Bay.",
    "The crash – the third this year – closed the road.",
    "The vote (AP counted 51 for and 49 against) was close.",
    "He works for Getty, the oil company.",
    "Mayor Ines Tolliver — a former pilot — said the bridge was safe.",
    "Norland — the land of lakes — votes on Tuesday.",
    "5 < 6 and 7 > 3, the pupils wrote.",
    "Q&A; nothing else was on the page of the programme.",
    "Next to the church stood a barn.",
    "Image and substance are two things, he said.",
    "Bild und Ton fielen am Montag in ganz Norland aus.",
    "Teilen der Stadt fehlt seit Montag der Strom.",
    "Partager la colline en deux, voilà l'idée du maire.",
    "Compartir piso es ya lo normal en Valdecorza.",
    "Por Valdecorza pasan cada día mil camiones.",
    "Von Montag an fahren wieder Busse nach Harlingstedt.",
    "Поделиться хлебом с соседом здесь считали долгом.",
    "分享经济在城里发展很快。",
    "شارك ثلاثة رجال في البحث عن القارب.",
    "Copyright law is older than the printing press in Norland.",
    "Reporting by the newspaper in May led to the inquiry.",
    "Writing by candlelight, she finished the novel in a year.",
    "Photographs by the artist were stolen on Friday.",
    "Stay informed, the governor told the people of Lorrimer Bay.",
    "She was already a subscriber when the paper was sold.",
    "Children may register to read at the library, the council said.",
    "اشترك ثلاثة رجال في السرقة، كما قالت الشرطة.",
    "订阅人数去年增长了三成，公司周二表示。",
]
"""Prose that begins or ends like boilerplate."""

TAKEN_FOR_BOILERPLATE = ["NATO — the alliance of 32 states — meets on Tuesday."]
"""Prose that the rules take for boilerplate, all of it or a part."""


def clean(text: str) -> str:
    """Return a text without its boilerplate."""
    found = clean_texts(pa.array([text]))[0].as_py()
    assert isinstance(found, str)
    return found


def lines(text: str) -> list[str]:
    """Return the lines of a text that hold words, without the space around them."""
    return [line.strip() for line in text.split("\n") if any(c.isalnum() for c in line)]


@pytest.mark.parametrize(
    ("rule", "line"), [(rule, line) for rule, found in BOILERPLATE.items() for line in found]
)
def test_boilerplate_is_left_out_under_the_name_of_its_rule(rule: str, line: str) -> None:
    text = f"{BEFORE}\n{line}\n{AFTER}"

    assert lines(clean(text)) == [BEFORE, AFTER]
    assert rule in {name for name, _ in find_boilerplate(text)}


@pytest.mark.parametrize(
    ("rule", "line", "left"), [(rule, *pair) for rule, found in INLINE.items() for pair in found]
)
def test_boilerplate_within_a_line_leaves_the_rest(rule: str, line: str, left: str) -> None:
    text = f"{line}\n{AFTER}"

    assert lines(clean(text)) == [left, AFTER]
    assert rule in {name for name, _ in find_boilerplate(text)}


def test_every_rule_has_an_example() -> None:
    assert {
        rule.name for group in (*ANYWHERE_RULES, *LINE_RULES) for rule in group
    } == BOILERPLATE.keys() | INLINE.keys()


@pytest.mark.parametrize("sentence", STORY)
def test_prose_that_begins_like_boilerplate_stays(sentence: str) -> None:
    text = f"{BEFORE}\n{sentence}\n{AFTER}"

    assert clean(text) == text
    assert find_boilerplate(text) == []


@pytest.mark.xfail(reason="the rules are too wide here")
@pytest.mark.parametrize("sentence", TAKEN_FOR_BOILERPLATE)
def test_prose_that_looks_like_boilerplate_stays(sentence: str) -> None:
    text = f"{BEFORE}\n{sentence}\n{AFTER}"

    assert clean(text) == text


def test_an_agency_credit_after_a_paragraph_leaves_the_paragraph() -> None:
    paragraph = f"{BEFORE} {AFTER} {BEFORE} {AFTER}"

    assert clean(f"{paragraph} (Reuters)").rstrip() == paragraph


@pytest.mark.parametrize("between", ["&nbsp;", "<br>", "</p><p>", "&quot;"])
def test_what_stood_around_boilerplate_stays_two_words(between: str) -> None:
    assert clean(f"the old bridge{between}stood").split() == ["the", "old", "bridge", "stood"]


def test_an_agency_credit_is_named_as_one() -> None:
    assert find_boilerplate(f"{BEFORE} {AFTER} {BEFORE} {AFTER} (Reuters)") == [("agency", "(Reuters)")]


@pytest.mark.xfail(reason="a full stop inside a German date ends the rule")
def test_a_german_time_stamp_is_boilerplate() -> None:
    assert clean("Aktualisiert am 3. März 2031 um 12:30") == ""


@pytest.mark.parametrize("sentence", STORY)
def test_prose_that_begins_like_boilerplate_stays_in_a_long_paragraph(sentence: str) -> None:
    paragraph = f"{sentence} {BEFORE} {AFTER} {BEFORE}"

    assert clean(paragraph) == paragraph


@pytest.mark.parametrize("number", range(5))
def test_a_plain_article_stays_as_it_is(number: int) -> None:
    text = story(number)["text"].replace(". ", ".\n\n")

    assert clean(text) == text
    assert find_boilerplate(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Die Brücke über die Senn wurde am Donnerstag gesperrt.\n„Stahl heilt nicht“, sagte die Ingenieurin.",
        "Le pont sur la Senn a été fermé jeudi.\n« L'acier ne guérit pas », a dit l'ingénieure.",
        "El puente sobre el Senn se cerró el jueves.\n«El acero no se cura», dijo la ingeniera.",
        "Il ponte sul Senn è stato chiuso giovedì.\n«L'acciaio non guarisce», ha detto l'ingegnera.",
        "A ponte sobre o Senn foi fechada na quinta-feira.\n“O aço não se cura”, disse a engenheira.",
        "Мост через Сенн закрыли в четверг.\n«Сталь сама не заживает», — сказала инженер.",
        "أغلق الجسر فوق نهر سين يوم الخميس.\nقالت المهندسة إن الفولاذ لا يشفى من تلقاء نفسه.",
        "森河大桥周四关闭。\n工程师说：“钢铁不会自己愈合。”",
        "セン川の橋が木曜日に閉鎖された。\n技術者は「鋼は自然には治らない」と述べた。",
        "센강 다리가 목요일에 폐쇄됐다.\n기술자는 “강철은 스스로 낫지 않는다”고 말했다.",
    ],
)
def test_plain_prose_of_every_language_stays_as_it_is(text: str) -> None:
    assert clean(text) == text
    assert find_boilerplate(text) == []


def test_only_the_list_under_read_more_goes_with_it() -> None:
    text = f"{BEFORE}\nRead more:\n- Cats of the year\n• Dogs of the year\n\n{AFTER}"

    assert lines(clean(text)) == [BEFORE, AFTER]


def test_what_is_left_out_is_quoted_as_it_stood() -> None:
    text = f"Share\nLONDON (Reuters) - {BEFORE}\nSign up for our newsletter!\n(AP Photo/Jane Quist)"

    found = find_boilerplate(text)

    assert sorted(found) == [
        ("button", "Share"),
        ("dateline", "LONDON (Reuters) -"),
        ("picture", "(AP Photo/Jane Quist)"),
        ("plea", "Sign up for our newsletter!"),
    ]


def test_nothing_to_clean_stays_nothing() -> None:
    assert clean_texts(pa.array(["", None], pa.string())).to_pylist() == ["", None]
    assert find_boilerplate("") == []


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Bridge shut | The Daily Example", "Bridge shut"),
        ("Bridge shut - Port Ellery News", "Bridge shut"),
        ("Bridge shut – Coastal Times", "Bridge shut"),
        ("Bridge shut - WXYZ 2", "Bridge shut"),
        ("Bridge shut - dailyexample.com", "Bridge shut"),
        ("Bridge shut", "Bridge shut"),
        ("Bridge shut - again", "Bridge shut - again"),
        ("Kestrel Town 3-2 Marlow Vale", "Kestrel Town 3-2 Marlow Vale"),
        ("Good news from the valley", "Good news from the valley"),
    ],
)
def test_the_outlet_at_the_end_of_a_title_is_left_out(title: str, bare: str) -> None:
    assert clean_titles(pa.array([title, None])).to_pylist() == [bare, None]


PIECES = [
    BEFORE,
    AFTER,
    "\n",
    "\n\n",
    " ",
    " - ",
    "\n- ",
    "\n• ",
    "<b>",
    "&amp;",
    "\0",
    "\n\0",
    "\u212a",
    "\u017f",
]
LINES = sum(BOILERPLATE.values(), STORY)
TEXTS = st.lists(
    st.one_of(
        st.text(max_size=5),
        st.sampled_from(PIECES + LINES),
        st.sampled_from(LINES).map(str.upper),
        st.sampled_from(LINES).map(str.lower),
        st.sampled_from(LINES).map(lambda line: line.replace("s", "\u017f").replace("k", "\u212a")),
        st.builds(lambda line, cut: line[:cut], st.sampled_from(LINES), st.integers(1, 40)),
    ),
    max_size=12,
).map(lambda parts: "".join(parts).encode(errors="replace").decode())
"""Boilerplate and prose in any order, cut and in other cases; characters that fold to ASCII; the separator of lines."""


@given(st.lists(st.one_of(st.none(), TEXTS), max_size=4))
@examples(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_scan_for_candidate_lines_changes_nothing(texts: list[str | None]) -> None:
    column = pa.array(texts, pa.string())
    with_newlines = pc.binary_join_element_wise("\n", column, "")

    assert clean_text_lines(column).to_pylist() == clean_whole_texts(with_newlines).to_pylist()


@pytest.mark.parametrize("text", [line for lines_ in BOILERPLATE.values() for line in lines_])
def test_a_line_of_boilerplate_is_a_candidate(text: str) -> None:
    scanner = load_line_scanner()
    assert scanner is not None

    assert len(scanner.find_match_ends(f"\n{text}".encode()))


@given(
    st.lists(
        st.one_of(st.text(), st.sampled_from(sum(BOILERPLATE.values(), [BEFORE, AFTER, "\n", " - "]))),
        max_size=12,
    )
)
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_text_alone_loses_what_it_loses_among_others(parts: list[str]) -> None:
    text = "\n".join(parts).encode(errors="replace").decode()

    alone, among = clean_texts(pa.array([text])), clean_texts(pa.array([text] * 40))

    assert among.to_pylist() == alone.to_pylist() * 40
