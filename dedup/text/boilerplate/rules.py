r"""Remove boilerplate by rules: text around a story that is not part of it.

The rules recognise datelines, credits, captions, share bars, "read more" lists, sign-ups, subscription notices and
comment invitations. Only sketches are made from the cleaned texts; the output is never changed.

The rules are a table of RE2 patterns in groups. Each group runs as one automaton, in linear time for any input. All rules
in one automaton would be four times slower, because its states no longer fit its cache; for the same reason repetitions
go by sentence and line (`S`, `L`) and are not counted. With Hyperscan, only the lines in which a rule may match go
through the rules (`dedup.text.boilerplate.candidate_lines`). To add a rule, add a line here, and an example to
`tests/text/test_boilerplate_rules.py`.
"""

import itertools
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from dedup.text.boilerplate.candidate_lines import LineScanner, clean_candidate_lines


class BoilerplateRule(NamedTuple):
    """A kind of boilerplate: the name that `explain` shows, and the pattern."""

    name: str
    pattern: str
    clue: str = ""
    """A faster pattern that matches in the first line of each match of `pattern`; "" for `pattern` itself."""


L = r"[^\n]*"
"""The rest of a line."""
S = r"[^.!?\n]*"
"""The rest of a sentence, without its stop."""
END = r"[ \t]*$"
AGENCY = (
    r"(?:Reuters|REUTERS|Thomson Reuters|AP|A\.P\.|Associated Press|The Associated Press|AFP|Agence France-Presse|UPI|"
    r"Bloomberg|Xinhua|Interfax|TASS|ITAR-TASS|RIA Novosti|Sputnik|Kyodo|PTI|IANS|ANI|dpa|DPA|EFE|ANSA|Lusa|ANP|CNN|CNS|PA|"
    r"EPA|Getty|Getty Images|NBC News|CBS News|ABC News|Fox News|WTOP|[A-Z][a-z]+wire)"
)
PICTURES = (
    r"(?:Reuters|REUTERS|AP|AP Images|AP Photo|Associated Press|AFP|UPI|Bloomberg|Getty|Getty Images|EPA|Sputnik|Xinhua|"
    r"Shutterstock|Anadolu|Zuma|ZUMA|Corbis|iStock|Pixabay|Unsplash|Wikimedia Commons|picture alliance|dpa|imago|IMAGO)"
)
BUTTON = (
    r"(?:share(?: this)?(?: article| story)?|tweet|e-?mail|print|facebook|twitter|x|whatsapp|telegram|messenger|pinterest|"
    r"linkedin|reddit|flipboard|copy link|comments?|save|post|close|menu|skip to (?:main )?content|ad|advertisements?|anzeige|"
    r"publicité|publicidad|pubblicità|реклама|loading\.*|video|photos?|play|pause|source link|link|search|log ?in|sign in|"
    r"prev|previous|next|image|more|top|teilen|drucken|partager|imprimer|compartir|imprimir|condividi|поделиться|"
    r"分享|シェア|شارك|\d+)"
)
MORE = (
    r"(?:read more|read also|also read|read next|more on this(?: story)?|more from [^\n.]*|see also|see more|related(?: stories| "
    r"articles| content| coverage| topics)?|recommended(?: for you)?|you may also like|don't miss|lesen sie auch|mehr zum thema|"
    r"auch interessant|lire aussi|à lire aussi|sur le même sujet|lea también|leer más|lee también|te puede interesar|"
    r"leggi anche|leia também|leia mais|veja também|читайте также|читать далее|по теме|اقرأ أيضا|اقرأ أيضًا|関連記事|相关阅读|相关新闻)"
)
PLEA = (
    r"(?:sign up (?:for|here|to|now|today)|signup|subscribe (?:to|now|today|for|here)|get (?:the|our|breaking|all the|more)\b"
    r"[^\n.]*(?:inbox|newsletter|app|alerts)|click here (?:to|for)|click for more|click to get|follow (?:us|@|[A-Z][^\n.]* on "
    r"(?:twitter|facebook|x|instagram))|like us on|join us on|find us on|join our (?:newsletter|channel|whatsapp|telegram)|"
    r"download (?:the|our) [^\n.]*app|support (?:our|independent|quality|[^\n. ]+[’']s) [^\n.]*journalism|our newsletters?|"
    r"newsletter sign-?up|stay (?:up to date|informed|connected)(?: with|[.!:]|$)|please enable javascript|listen to (?:this )?(?:article|story)|"
    r"let our news meet your inbox|melden sie sich|abonnieren sie|folgen sie uns|jetzt (?:newsletter|abonnieren)|"
    r"inscrivez-vous|abonnez-vous|suivez-nous|suscríbete|suscríbase|regístrate|síguenos|iscriviti|seguici|"
    r"inscreva-se|assine|siga-nos|подпишитесь|подписывайтесь|اشترك (?:في|الآن|معنا)|تابعونا|订阅(?:我们|本报|电子报)|关注我们)"
)
PLEA_CLUE = PLEA.replace("|$)", "|)")
GATE = (
    r"(?:to continue reading(?: this article)?|subscribe to (?:continue|read|unlock)|already a subscriber\?|"
    r"this (?:article|content|story) is (?:for|only for|reserved for|available to|exclusive to) [^\n.]*(?:subscribers|members)|"
    r"register (?:for free )?to continue|jetzt weiterlesen|weiterlesen mit|sie haben bereits ein (?:digital-?)?"
    r"abo|dieser artikel ist nur für|cet article est réservé|il vous reste [^\n.]* à lire|contenido exclusivo para|"
    r"este (?:artículo|contenido) es (?:solo|exclusivo) para|contenuto riservato agli|conteúdo exclusivo para)"
)
COMMENT = (
    r"(?:be the first to comment|leave a (?:comment|reply)|join the (?:conversation|discussion)|comments are closed|"
    r"(?:show|view|read|see|load|add|post) (?:all |\d+ )?comments?|\d+ comments|what do you think\?|have your say|tell us what you think|"
    r"kommentare? (?:schreiben|lesen)|schreiben sie den ersten kommentar|laisser un commentaire|soyez le premier à|deja (?:un|tu) comentario|"
    r"sé el primero en comentar|lascia un commento|deixe (?:um|seu) comentário|оставить комментарий)"
)
STAMP = r"(?:published|posted|updated|last updated|first published|last modified|created|veröffentlicht|aktualisiert|publié le|publicado|pubblicato)"

ENTITIES = (
    # &amp; and other entities that an export left in.
    BoilerplateRule("entity", r"&(?:amp|quot|nbsp|apos|lt|gt|[lr][sd]quo|[mn]dash|hellip|#x?[0-9a-fA-F]+);"),
)
"""Patterns that begin with an ampersand."""

BRACKETS = (
    # (AP Photo/Jane Doe).
    BoilerplateRule("picture", r"\((?:AP Photo|Photo|Photos|Image|Foto|Picture|Credit|File)[ :/][^()\n]*\)"),
)
"""Patterns that begin with a bracket."""

ANYWHERE = (
    # Tags and addresses.
    BoilerplateRule("markup", r"</?[a-zA-Z][^<>\n]*>|https?://[^\s<>\"]+|\[(?:pullquote|music|caption[^\]\n]*)\]"),
    # A subscription notice, to the end of its line: the text after it belongs to the notice.
    BoilerplateRule("gate", rf"(?i:\b{GATE}){L}"),
    # "Posted: Tuesday, January 28, 2014 8:18 PM EST Updated: ..." run into the story.
    BoilerplateRule("stamp", r"\b(?:Posted|Updated|Published):? (?:[A-Z][a-z]+, )?[A-Z][a-z]+\.? \d{1,2}, \d{4},?(?: (?:at )?\d{1,2}:\d\d ?(?:[AaPp]\.?[Mm]\.?)?(?: [A-Z]{2,4}\b)?)?"),
    # "... the ministry said. (Reuters)": the credit alone, at the end of a line.
    BoilerplateRule("agency", rf"[ \t]*[(\[]{AGENCY}[)\]]\.?{END}"),
    # "All rights reserved", run into the story.
    BoilerplateRule("rights", rf"(?i:all rights reserved|this material may not be published){L}"),
)  # fmt: skip
"""Patterns anywhere in a line."""

PHRASES = (
    # "Share", "Tweet | Email", "Skip to content", "ADVERTISEMENT": buttons and nothing else on the line.
    BoilerplateRule("button", rf"^[ \t•*·|]*(?i:{BUTTON}(?:[ \t|•·/,:]+{BUTTON})*)[:.]?{END}"),
    # "Home » Politics » A headline", "by admin".
    BoilerplateRule("navigation", rf"^[ \t•*·]*(?i:home[ \t]*[»>›/]{L}|by (?:admin|staff|editor|web desk|news desk)){END}"),
    # "Read more:" with the list that follows it.
    BoilerplateRule("more", rf"^[ \t•*·>]*(?i:{MORE})(?:[ \t]*[:：]{L}|{END})(?:\n+[ \t]*[-–•*·▪][ \t]*[^\n]+)*",
         rf"^[ \t•*·>]*(?i:{MORE})"),
    # "Continue reading", "Story continues below advertisement".
    BoilerplateRule("continues", rf"^[ \t(*]*(?i:(?:story|article) continues|continue(?:d)? reading|scroll down for|continued below){L}"),
    # "Sign up for our newsletter", "Follow us on Twitter": at most three sentences.
    BoilerplateRule("plea", rf"^[ \t•*·>(\[_-]*(?i:{PLEA})(?:{S}[.!?]){{0,2}}{S}[.!?)\]]*{END}",
         rf"^[ \t•*·>(\[_-]*(?i:{PLEA_CLUE})"),
    # "Be the first to comment".
    BoilerplateRule("comment", rf"^[ \t•*·]*(?i:{COMMENT}){S}[.!?]?{END}", rf"^[ \t•*·]*(?i:{COMMENT})"),
)  # fmt: skip
"""Lines that begin with a typical phrase."""

PICTURE_LINES = (
    # "Image copyright Getty Images", "Enlarge this image", "Photo by ...", "FILE PHOTO:".
    BoilerplateRule("picture", rf"^[ \t(]*(?i:image copyright|image caption|media caption|media playback|enlarge this image|slideshow|photo(?:graph)?s? "
         rf"(?:by (?-i:[A-Z])|courtesy)|(?:file )?photo:|photo credit|image credit|foto:|bild:|crédit|watch:|video:|watch the latest){L}"),
)  # fmt: skip
"""Lines that belong to a picture: in a group of their own, because with the phrases they outgrow the cache of the
automaton."""

CREDITS = (
    # "Copyright 2014 WAFB. All rights reserved."
    BoilerplateRule("rights", rf"^[ \t]*(?i:\(?copyright[ \t]*(?:©|\(c\)|\d{{4}}|by\b)|©|\(c\)){L}"),
    # "The Associated Press contributed to this report.", "Reporting by ...; editing by ...", "-- London Newsroom".
    BoilerplateRule("contributors", rf"^[ \t*(]*(?:{S} (?i:contributed to this (?:report|story|article)){L}|(?i:contributing:){L}|(?i:additional )?"
         rf"(?i:reporting|writing|editing) by [A-Z]{L}|\(*[ \t]*--?[ \t]*[A-Z]{S}(?i:newsroom|newsdesk|bureau|news desk){L})",
         r"(?i:contributed to this (?:report|story|article)|contributing:|(?:reporting|writing|editing) by |newsroom|newsdesk|bureau|news desk)"),
    # A caption: at most three sentences that end in a picture credit.
    BoilerplateRule("caption", rf"^(?:{S}[.!?]){{0,3}}{S}(?:/[ \t]?|via |Photo by |Photograph by |Photo: ?|Foto: ?|Credit: ?|© ?){PICTURES}\)?\.?{END}",
         rf"(?:/[ \t]?|via |Photo by |Photograph by |Photo: ?|Foto: ?|Credit: ?|© ?){PICTURES}"),
    # "| Published April 4, 2025", "Xinhua | Updated: 2017-09-15 17:52".
    BoilerplateRule("stamp", rf"^[ \t|•*·–—-]*(?:[A-Z]{S}\|[ \t]*)?(?i:{STAMP})\b[ \t:]*{S}\d{S}(?:\.m\.{S})*{END}",
         rf"(?i:(?:^|\|)[ \t|•*·–—-]*{STAMP})"),
)  # fmt: skip
"""Lines that end in, or are, a credit or a time stamp."""

OPENINGS = (
    # "By Jane Doe", "By JANE DOE, Staff Writer".
    BoilerplateRule("byline", rf"^[ \t]*(?:By|BY|Von|Par|Por|Di) (?:[A-Z][\w.’'-]*[ \t]+){{1,3}}[A-Z][\w.’'-]*(?:,[^\n.]*|[ \t]*\|{L}|[ \t]+(?i:staff writer|reporter|correspondent){L})?{END}",
         r"^[ \t]*(?:By|BY|Von|Par|Por|Di) [A-Z]"),
    # "LONDON (Reuters) –", "WASHINGTON, April 4 (AP) --", "(CNN) --", "Moscow, Russia —", "PARIS —".
    BoilerplateRule("dateline", rf"^[ \t]*(?:[A-Z][\w.’'/-]*(?:,? [A-Z][\w.’'/-]*){{0,4}}(?:,? \d{{1,2}})?[ \t]*)?\({AGENCY}\)[ \t]*(?:[-–—:]+[ \t]*)?", rf"\({AGENCY}\)"),
    BoilerplateRule("dateline", r"^[ \t]*[A-Z][A-Z.’'/-]+(?: [A-Z][A-Z.’'/-]+){0,3}(?:, [A-Z][\w.]*(?: [A-Z][\w.]*){0,2})?(?:,? \d{1,2})?[ \t]*(?:--|–|—)[ \t]*"),
    BoilerplateRule("dateline", r"^[ \t]*[A-Z][a-z]+(?: [A-Z][a-z]+)?, [A-Z][\w.]*(?: [A-Z][\w.]*){0,2}[ \t]*(?:--|–|—)[ \t]*"),
)  # fmt: skip
"""Patterns before the first word of a story."""

ANYWHERE_RULES = (ENTITIES, BRACKETS, ANYWHERE)
LINE_RULES = (PHRASES, PICTURE_LINES, CREDITS, OPENINGS)
"""All groups, in the order in which they run. If two rules of a group match at one place, the first wins."""

ANYWHERE_PATTERNS = tuple(
    "(?m)" + "|".join(f"(?:{rule.pattern})" for rule in group) for group in ANYWHERE_RULES
)
LINE_PATTERNS = tuple(
    "(?m)\n(?:" + "|".join(f"(?:{rule.pattern.removeprefix('^')})" for rule in group) + ")"
    for group in LINE_RULES
)
"""Patterns of lines begin with the newline before them, so that RE2 skips from newline to newline."""
PATTERNS = (*((p, " ") for p in ANYWHERE_PATTERNS), *((p, "\n") for p in LINE_PATTERNS))
"""All patterns in order, each with its replacement; a space keeps the words around a match apart."""
OUTLET_SUFFIX = r"[ \t]+(?:\|[^|]*|[-–—] [^-–—|]*(?:News|Times|Post|Herald|Tribune|Journal|Online|TV|FM|Radio|\.com|\.org|\.net|\.co\.uk|[KW][A-Z]{2,3}\b)[^-–—|]*)$"
"""The name of the outlet at the end of a headline: " | The Daily Example", " - WXYZ News 2"."""
MAX_TEXTS_ONE_BY_ONE = 16
"""Up to this number of texts, each is matched separately."""


def clean_texts(texts: pa.StringArray) -> pa.StringArray:
    """Return the texts without boilerplate; null stays null."""
    return pc.utf8_slice_codeunits(clean_text_lines(texts), 1)


def clean_text_lines(texts: pa.StringArray) -> pa.StringArray:
    """Return the texts without boilerplate, with a newline before each line, including the first; null stays null."""
    texts = pc.binary_join_element_wise("\n", texts, "")
    scanner = load_line_scanner()
    cleaned = clean_candidate_lines(texts, scanner, remove_boilerplate_lines) if scanner else None
    return clean_whole_texts(texts) if cleaned is None else cleaned


def clean_whole_texts(texts: pa.StringArray) -> pa.StringArray:
    """Return texts without boilerplate, each line after a newline; null stays null."""
    for pattern, replacement in PATTERNS:
        texts = replace_pattern(texts, pattern, replacement)
    return texts


def remove_boilerplate_lines(lines: bytes) -> bytes:
    """Return lines (UTF-8) without boilerplate, each line after a newline."""
    for pattern, replacement in PATTERNS:
        lines = b"".join(iter_rest(compile_pattern(pattern), lines, replacement.encode()))
    return lines


def iter_rest(pattern: Any, lines: bytes, replacement: bytes) -> Iterator[bytes]:
    """Yield the parts of `lines` that a pattern does not match, with the replacement between them."""
    end = 0
    for match in pattern.finditer(lines):
        yield lines[end : match.start()]
        yield replacement
        end = match.end()
    yield lines[end:]


@cache
def load_line_scanner() -> LineScanner | None:
    """Return the scanner for the lines in which a rule may match; None if Hyperscan is not installed."""
    if find_spec("hyperscan") is None:
        return None
    rules = itertools.chain(*ANYWHERE_RULES, *LINE_RULES)
    return LineScanner([rule.clue or rule.pattern.removesuffix(L) for rule in rules])


def clean_titles(titles: pa.StringArray) -> pa.StringArray:
    """Return the titles without the name of the outlet."""
    return replace_pattern(titles, OUTLET_SUFFIX, "")


def replace_pattern(texts: pa.StringArray, pattern: str, replacement: str) -> pa.StringArray:
    """Return the texts with all matches of a pattern replaced; null stays null.

    Arrow compiles the pattern in each call, which takes as long as thirty articles. So a few texts are matched one by
    one, with a cached pattern. Both ways use RE2, so both give the same result.
    """
    if len(texts) > MAX_TEXTS_ONE_BY_ONE:
        return pc.replace_substring_regex(texts, pattern=pattern, replacement=replacement)
    replace = compile_pattern(pattern).sub
    return pa.array(
        [None if text is None else replace(replacement, text) for text in texts.to_pylist()], pa.string()
    )


@cache
def compile_pattern(pattern: str) -> Any:
    """Return a pattern compiled by RE2."""
    import re2

    return re2.compile(pattern)


def find_boilerplate(text: str) -> list[tuple[str, str]]:
    """Return (rule name, passage) for each piece of boilerplate in `text`, group by group."""
    pieces: list[tuple[str, str]] = []
    rest = "\n" + text
    for group, (pattern, _) in zip(ANYWHERE_RULES + LINE_RULES, PATTERNS, strict=True):
        newline = "\n" if group in LINE_RULES else ""
        passages = [match.group().strip() for match in compile_pattern(pattern).finditer(rest)]
        pieces += [(find_rule_name(passage, group), passage) for passage in passages if passage]
        rest = compile_pattern(pattern).sub(newline, rest)
    return pieces


def find_rule_name(passage: str, group: tuple[BoilerplateRule, ...]) -> str:
    """Return the name of the first rule of a group that matches `passage`."""
    names = (rule.name for rule in group if compile_pattern("(?m)" + rule.pattern).search(passage))
    return next(names, group[0].name)
