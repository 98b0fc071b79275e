r"""The forms of credit as RE2 patterns: datelines, sources, signatures, contributions, bylines and copyright lines.

In a pattern, `MARK` stands for the name of any agency. To add a form, add a row with an example in a comment, and the same
example to `tests/origins/test_attribution.py`.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BYLINES", "CONTRIBUTION", "CUT", "MARK", "REUTERS_SIGNATURE", "RULES", "CreditRule"]

CONTRIBUTION = "contribution"

MARK = "\x01"
"""The character that stands for the name of an agency while the forms are matched: so the patterns stay small."""
CUT = "\x00"
"""The character that stands where a window is cut. No form of credit has it."""
_ITEM = (
    r"(?:(?:[Tt]he |l['’]|la |der |den |die |dell['’]|de la |da |agencia |agência |agence |agenzia |agency |"
    rf"wire service )?{MARK}(?: news agency| wire)?)"
)
_SEPARATOR = r"(?:[ \t]*(?:[/,;+&|=·、]|\band\b|\bund\b|\bet\b|\by\b|\be\b| и | و ?|和|及)[ \t]*)"
_LIST = rf"(?P<who>{_ITEM}(?:{_SEPARATOR}{_ITEM})*)"
_DASH = r"[-–—―ـ]"
_OPEN, _CLOSE = r"[(（【\[［]", r"[)）】\]］]"
_END = r"[ \t.。*_]*(?:\n|$)"
_STOP = r"""[.!?…:。！？؟)\]”"“»«’'›]"""
"""What precedes a signature: the end of the last sentence."""
_DESK = r"""(?:[a-zäöüßşçğı]{2,6}\.?|[A-ZÄÖÜ]{2,6}|[A-Z][a-z]{1,4}|[\w-]+\.(?:de|com|NET|net|org|fr|es|it|ru)|(?:[A-Z]\.){2,4}|["“„][^"”“\n]{2,24}["”“])"""
"""The initials of an editor, or the short name of an outlet: "mba", "RND", "ntv.de"."""
_WITH = r"(?:[Mm]it|[Aa]vec|[Cc]on|[Cc]om|[Ww]ith|с|عن|von|from|via|de)"
_DESKS = rf"(?:{_DESK}[ \t]*(?:[/,;+&]|{_WITH}\b)[ \t]*){{0,3}}(?:{_WITH} )?"
_TAIL = rf"(?:[ \t]*[/,;][ \t]*(?:{_DESK}|Bloomberg)){{0,3}}"
_SOURCE_LABEL = (
    r"(?:Quellen?|QUELLE|Verwendete Quellen|Sources?|Fuentes?|Font[ei]|Fontes|Źródło|Kaynak|Bron|Источники?|المصدر|"
    r"来源|來源|消息来源|出典|提供|출처)"
)
_NAMES = r"(?:[A-ZÀ-ÞŞĞİА-ЯЁ](?:\.|[\pL’'-]+)[ \t]+(?:(?:de|da|di|von|van|la|del)[ \t]+)?){1,3}[A-ZÀ-ÞŞĞİА-ЯЁ][^\s\d.,;:()|]+"
_BY = r"(?:By|BY|Von|VON|Par|Por|Di|Da|Autor|Auteur|Автор|Текст|Text|Haber|Przez|بقلم|文|记者|記者)"
_MONTH = r"[^\s\d()]{2,12}"


class CreditRule(NamedTuple):
    """A form of credit; the group `who` of the pattern holds the agencies."""

    kind: str
    pattern: str


RULES = (
    # "PARIS, March 3 (Reuters) -", "(ANSA) - ROMA", "Tollan (dpa)." The word before the bracket is a place or a date.
    CreditRule("dateline", rf"(?:^|\s)(?:[^\s()“\"„«]*[^\s(){MARK}:,“\"„«])?[ \t]*{_OPEN}{_LIST}(?:[/,;][^()\n]{{0,16}})?{_CLOSE}[ \t]*\.?[ \t]*{_DASH}"),
    CreditRule("dateline", rf"(?m:^)(?:[\p{{Lu}}\p{{Lo}}][^()\n{MARK}]{{0,50}})?{_OPEN}{_LIST}{_CLOSE}[ \t]*[:：.]"),
    # "МОСКВА, 3 марта. /ТАСС/.", "МОСКВА, 3 мар — РИА Новости.", "INTERFAX.RU -"
    CreditRule("dateline", rf"/{_LIST}/\.?(?:\s|$)"),
    CreditRule("dateline", rf"(?m:^)(?:[\p{{Lu}}][^\n]{{1,30}}?\d{{1,2}} {_MONTH}[ .]*{_DASH} *)?{_LIST}(?:, [\p{{Lu}}][^\n.]{{2,30}}\.| {_DASH}+ [\p{{Lu}}\p{{Lo}}]|[:：] ?[\p{{Lu}}\p{{Lo}}])"),
    CreditRule("dateline", rf"(?m:^)[\p{{Lu}}][^\n]{{1,30}}?\d{{1,2}} {_MONTH}[ .]*{_DASH} *{_LIST}[.,]"),
    CreditRule("dateline", rf"(?m:^){_LIST}, \d{{1,2}} {_MONTH}[.:]"),
    # Like "新华社托兰3月3日电", "【東京共同】", "［東京 3日 ロイター］", "(서울=연합뉴스)", "(中央社記者…3日電)"
    CreditRule("dateline", rf"(?:^|[\s　（(【]){_LIST}[^\s。，,]{{1,16}}日[^\s。，]{{0,8}}[电電]"),
    CreditRule("dateline", rf"[【［\[(][^】］\])\n]{{0,14}}[ =　]?{_LIST}(?:[=＝]時事)?[】］]"),
    CreditRule("dateline", rf"\([\p{{Hangul}}]{{1,8}}={_LIST}\)"),
    # "Quelle: ntv.de, mba/dpa", "Source : AFP", "来源:新华社"; "(Quelle: dpa) Dazu …" is a caption.
    CreditRule("source", rf"(?:^|[^(\pL])(?:{_SOURCE_LABEL})[ \t\x{{a0}}]*[:：][ \t\x{{a0}}]*(?:[^\n.:;()/]{{2,40}}, )?{_DESKS}(?:{_NAMES}(?: und {_NAMES})?, )?{_LIST}{_TAIL}(?:[ \t]*\.?[ \t]*(?:\n|$|[|*])|\.?[ \t]+[\p{{Lu}}])"),
    CreditRule("source", rf"\({_SOURCE_LABEL}[ \t]*[:：][ \t]*{_DESKS}{_LIST}{_TAIL}\)\.?\s*$"),
    # "… said. (Reuters)", "(Tsp, dpa)", "(mit dpa)", "(dpa/fzö)": brackets after the last word of a sentence.
    CreditRule("signature", rf"{_STOP}[ \t\n]*{_OPEN}{_DESKS}{_LIST}{_TAIL}{_CLOSE}\.?(?:[ \t]*\n|[ \t]*$|[ \t]+[\p{{Lu}}])"),
    CreditRule("signature", rf"[\p{{Han}}\p{{Arabic}}\p{{Hiragana}}\p{{Katakana}}][。.]?[ \t\n]*{_OPEN}{_LIST}{_CLOSE}[。.]?\s*$"),
    # "… sagte er. RND/dpa" at the end of a line; "… sagte er. dpa/AFP", "… ayer. EFE" at the end of the text.
    CreditRule("signature", rf"{_STOP}[ \t]*(?:\n[ \t]*)?(?:[a-zäöüß]{{2,6}}|[A-ZÄÖÜ]{{2,6}})/(?:{_DESK}/){{0,3}}{_LIST}{_TAIL}{_END}"),
    CreditRule("signature", rf"\s[A-Z]{{3,6}}/(?:{_DESK}/){{0,3}}{_LIST}{_TAIL}\s*$"),
    CreditRule("signature", rf"""[.!?…”"“] [a-zäöüß]{{2,4}}/{_LIST}[ \t]+[\p{{Lu}}]"""),
    CreditRule("signature", rf"[\s/(](?:mit|avec|con|com) {_LIST}\)?\s*$"),
    CreditRule("signature", rf"\((?:{_NAMES}, ?)?{_DESKS}{_LIST}{_TAIL}\)\s*$"),
    CreditRule("signature", rf"""[.!?…。！？؟”"“»«’'›]\s*(?:{_DASH}[ \t]*)?{_LIST}{_TAIL}[.。]?\s*$"""),
    # "Nachrichtenagenturen dpa und Reuters", "Mit Material von dpa", "Mit Infos der Nachrichtenagentur Reuters"
    CreditRule("source", rf"{_STOP}[ \t\n]+(?:Mit )?Nachrichtenagentur(?:en)? {_LIST}(?:,[ \t]*{_DESK})?(?:\.?{_END}|[ \t]+[\p{{Lu}}])"),
    CreditRule("source", rf"Nachrichtenagentur(?:en)?:? {_LIST}\s*$"),
    CreditRule(CONTRIBUTION, rf"(?:[Mm]it|Unter Verwendung von|unter Verwendung von) (?:Material|Materialien|Informationen|Infos|Agenturmaterial|Inhalten) (?:von|der|des|vom)(?: den)?(?: Nachrichtenagentur(?:en)?| Agentur(?:en)?)? ?\(?{_LIST}"),
    # "The Associated Press contributed to this report", "This report contains material from Reuters"
    CreditRule(CONTRIBUTION, rf"{_LIST}(?:['’]s? [^.\n]{{2,80}}|,? [^.\n]{{0,80}})? (?:also )?contributed (?:to(?: this (?:report|story|article))?|reporting)"),
    CreditRule(CONTRIBUTION, rf"(?i:contributing|contributors|contributed|with (?:reports?|reporting|files|material|information) (?:by|from)|(?:material|information|reporting) (?:provided )?(?:by|from)|based on reporting by|wire services?)[ :]+(?:[^.\n]{{0,120}}[,;&/] |[^.\n]{{0,120}} and )?{_LIST}(?: was used in this report| contributed)?(?:\.?\)?{_END}|\.[ \t]+|[,;/] | and )"),
    CreditRule(CONTRIBUTION, rf"(?:Contributing|Contributors|Contributed):[^\n]{{0,400}}[;,&.] (?:and )?{_LIST}(?:{_END}|[.,;])"),
    CreditRule(CONTRIBUTION, rf"contributed to this (?:report|story|article),? (?:along|together) with {_LIST}"),
    CreditRule("source", rf"[Tt]his (?:report|article|story) was (?:reported|written|provided) by {_LIST}"),
    CreditRule(CONTRIBUTION, rf"[Tt]his (?:report|article|story) (?:contains|includes|uses) (?:material|information|reporting) from [^.\n]{{0,60}}?{_LIST}"),
    # Like "(avec AFP)", "Le Monde avec AFP", "Con información de EFE", "com Lusa", "con Ansa", "с данными ТАСС"
    CreditRule(CONTRIBUTION, rf"(?:\(|\n[ \t]*|{_STOP} |Le Monde |Le Figaro |(?:{_DESK}) )[Aa]vec {_LIST}(?:\)|{_END})"),
    CreditRule(CONTRIBUTION, rf"(?:[Cc]on|[Cc]om) (?:información|informaciones|datos|material|informações|dados|informazioni|agências?|agencias?) (?:de |da |do |del |di |das )?(?:la |las )?(?:agências? |agencias? )?{_LIST}"),
    CreditRule(CONTRIBUTION, rf"(?:\(|\n[ \t]*|{_STOP} )[Cc]o[nm] {_LIST}(?:\)|{_END})"),
    CreditRule(CONTRIBUTION, rf"(?:[Сс] данными|[Сс] использованием (?:данных|материалов)|[Пп]о материалам) (?:агентств[ао]? )?{_LIST}"),
    CreditRule(CONTRIBUTION, rf"(?:مع|بالاشتراك مع|نقلا عن وكالات) ?[:：]? ?\(?{_LIST}\)?\s*$"),
    # "By The Associated Press", "By JANE DOE, Associated Press", "Associated Press Writer"
    CreditRule("byline", rf"(?m:^)[ \t]*{_BY}[ \t:：]+{_LIST}(?:[ \t]*/[ \t]*{_NAMES})?{_END}"),
    CreditRule("byline", rf"(?m:^)[ \t]*(?:By|BY|Von|Par|Por|Di) {_NAMES}(?:(?:,| and| und| et| y) {_NAMES})*[ \t]*(?:,|[(|/]|\n)[ \t]*{_LIST}\)?(?: [Ww]riters?)?{_END}"),
    CreditRule("byline", rf"^(?:[^\n\x00]*\n){{0,3}}[ \t]*{_LIST}(?: [Ss]taff)?[ \t]*\n"),
    CreditRule("byline", rf"(?:^|\n|\(|• ?|___ ?){_LIST} (?:[A-Z][a-z]+ )?(?:[Ww]riters?|[Cc]orrespondents?|[Rr]eporters?) {_NAMES}(?:,| and)[^.\n]* (?:contributed|reported)"),
    # "Copyright 2019 The Associated Press.", "The AP is solely responsible for all content", "Thomson Reuters Trust Principles"
    CreditRule("copyright", rf"(?i:copyright|©|\(c\))[ \t]*(?:©|\([Cc]\))?[ \t]*(?:(?:19|20)\d\d|by)[ \t]+{_LIST}"),
    CreditRule("copyright", rf"{_LIST}(?:[.,][ \t]+|[ \t]+)(?:is solely responsible for all content|[Aa]ll rights reserved|[Aa]lle Rechte vorbehalten|Tous droits réservés|Todos los derechos reservados)"),
    CreditRule("copyright", rf"(?P<who>{MARK}) Trust Principles"),
)  # fmt: skip
"""The forms of credit, each with where it is seen."""
REUTERS_SIGNATURE = rf"(?:Additional )?[Rr]eporting (?:and writing )?by {_NAMES}[^;\n()]*; (?:[Ww]riting|[Ee]diting|[Aa]dditional)[^\n()]* by {_NAMES}"
"""The last line of a story of Reuters names reporters and editors, and not the agency. They are people: a desk, a paper or
another agency ("Reporting by Norwire; editing by the Coastal Daily") writes no line of Reuters."""
BYLINES = (
    rf"(?m:^)[ \t]*(?:By|BY|Von|Par|Por|Di|Автор:|Text:|Autor:)[ \t]+(?P<name>{_NAMES}(?:(?:,| and| AND| und| et| y| e) {_NAMES})*)(?:,[^\n.]{{0,60}}|[ \t]*[|(/][^\n]{{0,60}})?[ \t]*(?:\n|$)",
    rf"(?:\(reporting|Reporting|Written|Writing) by (?P<name>{_NAMES}(?:(?:,| and) {_NAMES})*)",
    r"(?:文/|记者 ?|記者 ?)(?P<name>[\p{Han}]{2,4})(?:[ \t\n)）]|报道|報道)",
)
