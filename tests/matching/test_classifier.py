import re
from dataclasses import replace
from typing import Any

import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import Article, corpora, sketched, story, version

from dedup.matching.classifier import NO_RELATION, classify_articles, is_clearly_below_copy_threshold
from dedup.matching.evidence_columns import (
    CHANGED_FACTS,
    CONTAINED,
    CONTAINS,
    CONTEXT_START,
    EVIDENCE_COUNT,
    EVIDENCE_NAMES,
    JACCARD,
    NAMES,
    NAMES_FOUND,
    NEARER,
    NEIGHBOURS,
    UNDATED,
    WORDS_220,
)
from dedup.matching.guards import shares_only_template
from dedup.matching.match_params import make_match_params
from dedup.matching.models import (
    compute_context_odds,
    compute_story_odds,
    compute_storyline_odds,
    read_shipped_model,
)
from dedup.settings.model_file import check_coefficient_sign
from dedup.settings.settings import RELATIONS, Settings

DEFAULTS = Settings()
Verdict = tuple[str, float] | None


def judge(kept: Article, other: Article, settings: Settings = DEFAULTS) -> Verdict:
    """Return (relation, score) of one article to another that is kept; None where they do not match."""
    rules = make_match_params(settings)
    relation, score, _ = classify_articles(sketched([kept, other]), 0, 1, rules)
    return None if relation == NO_RELATION else (RELATIONS[relation], float(score))


def told(text: str, title: str = "", **others: Any) -> Article:
    """Return an article of a day in May, if not dated otherwise; its lines are joined to paragraphs."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    return {"title": title, "text": "\n\n".join(paragraphs), "published": "2031-05-04T08:00:00Z", **others}


def parts(article: Article, first: int, last: int) -> Article:
    """Return an article cut to some of its sentences."""
    sentences = article["text"].split(". ")[first:last]
    return {**article, "text": ". ".join(sentences).rstrip(".") + "."}


def test_the_same_words_are_exact() -> None:
    shouted = {
        **story(1),
        "text": story(1)["text"].upper().replace(". ", "!\n\n"),
        "title": "Another headline",
    }

    assert judge(story(1), story(1)) == ("exact", 1.0)
    assert judge(story(1), shouted) == ("exact", 1.0)


def test_most_words_in_common_are_a_copy() -> None:
    relation, score = judge(story(1), parts(story(1), 0, 8)) or ("", 0.0)

    assert relation == "copy"
    assert score == pytest.approx(0.9, abs=0.05)


def test_a_part_is_an_excerpt_of_the_whole_and_the_whole_an_extension_of_its_part() -> None:
    whole, part = story(1), parts(story(1), 2, 6)

    assert judge(whole, part) == ("excerpt", 1.0)
    assert judge(part, whole) == ("extension", 1.0)


def test_too_little_in_common_is_no_copy() -> None:
    half = {**story(1), "text": parts(story(1), 0, 4)["text"] + " " + parts(story(2), 0, 5)["text"]}

    found = judge(story(1), half, Settings(relations=RELATIONS[:4]))

    assert found is None


@pytest.mark.parametrize(("jaccard", "relation"), [(0.3, "copy"), (0.99, None)])
def test_how_much_a_copy_shares_is_a_setting(jaccard: float, relation: str | None) -> None:
    settings = Settings(copy_jaccard=jaccard, relations=("copy",))

    found = judge(story(1), parts(story(1), 0, 6), settings)

    assert (found and found[0]) == relation


def test_how_much_of_an_excerpt_is_elsewhere_is_a_setting() -> None:
    whole, part = story(1), parts(story(1), 0, 4)
    part["text"] += " Nobody in the valley had ever seen such a thing before."

    loose, strict = (
        judge(whole, part, Settings(excerpt_containment=c, relations=("excerpt",))) for c in (0.7, 0.99)
    )

    assert loose
    assert loose[0] == "excerpt"
    assert strict is None


REWRITES = {
    "en": (
        told(
            """
            All fourteen miners trapped for 31 hours under Velden Ridge were brought out alive late on
            Monday, rescuers said. The men had been cut off on Sunday when the roof of a tunnel fell in at
            the Karsa Deep zinc mine, 420 metres below the ground. The operator, Torvane Metals, said three
            of the miners had broken bones and were in hospital in Averstone. Rescue chief Pia Lindqvarn
            said her team had drilled a passage from an old shaft. Foreman Anselm Dury, 51, came up last.
            The miners' union called for an inquiry into why warnings about the roof had been ignored.
            """,
            "Rescuers free all 14 miners trapped at Karsa Deep",
        ),
        told(
            """
            The last of 14 workers stuck in the Karsa Deep zinc mine reached the surface on Monday night,
            and Velden Ridge rang its bells. Anselm Dury, the 51-year-old foreman, had insisted that his
            crew of miners leave before him. They had spent 31 hours behind the rubble after part of a
            tunnel collapsed, 420 metres underground. Teams led by Pia Lindqvarn bored through from an
            abandoned shaft. Three men with fractures were taken to Averstone. Torvane Metals, which runs
            the mine, now faces questions from the union about complaints it received over the unsafe roof.
            """,
            "“We sang, badly”: miners out alive at Velden Ridge",
        ),
    ),
    "de": (
        told(
            """
            In Harlingstedt ist am Mittwochabend eine Fliegerbombe aus dem Zweiten Weltkrieg entschärft
            worden. Rund 3200 Menschen mussten ihre Wohnungen verlassen, auch das Krankenhaus Sankt Vinzenz
            wurde geräumt. Der 250 Kilogramm schwere Blindgänger war bei Bauarbeiten am Güterbahnhof
            gefunden worden. Sprengmeisterin Jolanda Wieck brauchte für den Zünder 40 Minuten.
            Oberbürgermeister Henning Brosamer dankte den 400 Helfern von Feuerwehr und Rotem Kreuz.
            """,
            "Fliegerbombe in Harlingstedt entschärft",
        ),
        told(
            """
            Aufatmen in Harlingstedt: Um kurz nach neun durften am Mittwoch 3200 Bewohner zurück in ihre
            Häuser. Jolanda Wieck vom Kampfmittelräumdienst hatte die Fliegerbombe, die Arbeiter auf dem
            Güterbahnhof ausgegraben hatten, nach 40 Minuten unschädlich gemacht. Der Blindgänger wog 250
            Kilogramm. Die Patienten des Krankenhauses Sankt Vinzenz kehren am Donnerstag zurück, sagte
            Oberbürgermeister Henning Brosamer, der 400 Helfer lobte.
            """,
            "3200 Harlingstedter nach Bombenfund wieder daheim",
        ),
    ),
    "es": (
        told(
            """
            Un mosaico romano de 40 metros cuadrados ha aparecido en un olivar de Valdecorza. Lo encontró el
            sábado el agricultor Fermín Olazagasti, de 63 años, cuando abría una zanja de riego. Según los
            arqueólogos, la obra es del siglo III y decoraba el comedor de una villa. La alcaldesa, Remedios
            Arbeloa, anunció que la excavación costará 150.000 euros y que el mosaico podrá visitarse en
            octubre.
            """,
            "Hallado en Valdecorza un gran mosaico romano",
        ),
        told(
            """
            Fermín Olazagasti buscaba agua para sus olivos y dio con Roma. El agricultor de Valdecorza, de
            63 años, descubrió el sábado al cavar una zanja un mosaico de 40 metros cuadrados que los
            arqueólogos fechan en el siglo III. Pertenecía a una villa romana desconocida. El ayuntamiento
            que preside Remedios Arbeloa gastará 150.000 euros en excavar el olivar y abrirá las visitas en
            octubre.
            """,
            "El mosaico romano que dormía bajo un olivar de Valdecorza",
        ),
    ),
    "ru": (
        told(
            """
            В Старозерске пожар уничтожил склад рыбного завода «Беломорец». Огонь вспыхнул в ночь на
            вторник, площадь возгорания достигла 1200 квадратных метров. Из соседних домов эвакуировали 140
            человек, никто не пострадал. По словам начальника пожарной части Игоря Лапшакова, причиной могла
            стать неисправная проводка. Мэр Старозерска Анна Крутогорова пообещала заводу помощь.
            """,
            "Пожар уничтожил рыбный склад в Старозерске",
        ),
        told(
            """
            140 жителей Старозерска провели ночь на вторник в школе: рядом с их домами горел склад завода
            «Беломорец», где хранили рыбу. Пожарные под командованием Игоря Лапшакова тушили 1200 квадратных
            метров до утра. Пострадавших нет. Следователи проверяют версию о неисправной проводке. Мэр Анна
            Крутогорова приехала на место и обещала поддержать завод.
            """,
            "Ночь в школе: в Старозерске сгорел склад «Беломорца»",
        ),
    ),
}
"""Two newsrooms, one story, their own words."""


@pytest.mark.parametrize("language", REWRITES)
def test_one_story_in_other_words_is_a_rewrite(language: str) -> None:
    first, second = REWRITES[language]

    for found in (judge(first, second), judge(second, first)):
        assert found
        assert found[0] == "rewrite"
        assert 0.5 <= found[1] <= 1


@pytest.mark.parametrize("language", REWRITES)
def test_a_rewrite_of_unknown_date_is_still_one(language: str) -> None:
    first, second = ({**article, "published": None} for article in REWRITES[language])

    assert judge(first, second)


def test_stories_of_one_kind_are_no_rewrites_of_each_other() -> None:
    languages = list(REWRITES)

    for a in languages:
        for b in languages:
            assert a == b or judge(REWRITES[a][0], REWRITES[b][1]) is None


def test_how_probable_a_rewrite_must_be_is_a_setting() -> None:
    first, second = REWRITES["en"]

    certain, never = (
        judge(first, second, Settings(rewrite_probability=p, relations=RELATIONS[:5])) for p in (0.5, 1.0)
    )

    assert certain
    assert never is None


@pytest.mark.parametrize("relation", RELATIONS)
def test_only_the_relations_asked_for_are_reported(relation: str) -> None:
    pairs = [
        (story(1), story(1)),
        (story(1), parts(story(1), 0, 8)),
        (story(1), parts(story(1), 2, 5)),
        (parts(story(1), 2, 5), story(1)),
        REWRITES["en"],
    ]

    found = [judge(*pair, Settings(relations=(relation,))) for pair in pairs]

    assert {verdict[0] for verdict in found if verdict} == {relation}


@given(corpora(least=2, most=6, stories=2), st.floats(0.05, 0.95), st.floats(0.05, 1.0))
@examples(max_examples=20)
def test_where_rewrites_do_not_count_the_same_copies_are_found(
    articles: list[Article], jaccard: float, containment: float
) -> None:
    s = sketched(articles)
    everything = Settings(copy_jaccard=jaccard, excerpt_containment=containment)
    copies = replace(everything, relations=RELATIONS[:4])

    for a in range(len(articles)):
        for b in range(a):
            found, alone = (
                classify_articles(s, a, b, rules)[:2]
                for rules in map(make_match_params, (everything, copies))
            )
            assert alone == (
                found
                if RELATIONS[found[0]] in copies.relations and found[0] != NO_RELATION
                else (NO_RELATION, 0.0)
            )


def test_where_rewrites_do_not_count_unlike_articles_are_not_compared() -> None:
    whole, rules = story(1), make_match_params(Settings(relations=RELATIONS[:4]))
    s = sketched([whole, parts(whole, 2, 6), parts(whole, 0, 8), REWRITES["en"][0], story(2)])

    assert [is_clearly_below_copy_threshold(s, 0, other, rules) for other in range(1, 5)] == [
        False,
        False,
        True,
        True,
    ]
    assert [is_clearly_below_copy_threshold(s, other, 0, rules) for other in range(1, 5)] == [
        False,
        False,
        True,
        True,
    ]


FORMS = {
    "weather": """
        {Brackwater|Averstone} will see {sunshine|showers} on Saturday, with a high of {17|11} degrees and a
        low of {4|2}. Winds from the {north|west} will reach {22|48} kilometres an hour in the afternoon.
        The chance of rain is {10|85} percent before noon. Sunrise is at 6.{41|44} a.m. and sunset at
        6.{12|18} p.m. The outlook for Sunday is a little cooler. For the forecast by the hour, ask the
        Northlight Weather Desk.

        This forecast is made every evening from the readings of our own stations and of those that farmers
        and fishermen keep for us. It holds for the town and its suburbs; in the hills it can be a good deal
        colder, and along the coast the wind is stronger. Warnings are given out on the radio as soon as
        they are known, and are posted at the town hall and in the library.
    """,
    "football": """
        {Kestrel Town|Hallowick Rovers} beat {Marlow Vale|Dunmarrow} {2-1|3-1} on Saturday in front of
        {4,180|9,655} spectators. {Obi Renwick|Ike Sandoval} put the hosts ahead after {12|33} minutes, and
        {Tam Jessop|Piers Quill} doubled the lead before the break. The visitors pulled one back through
        {Lars Holmqvist|Niall Brandt} but could not find an equaliser. The result lifts the hosts to
        {third|seventh} in the table with {41|29} points.

        The club thanks its supporters and reminds them that season tickets for the coming year are on sale
        at the office behind the main stand, where scarves and shirts can be had as well. Children who come
        with a parent get in free. The bar opens an hour before the match and closes an hour after it, and
        no glasses may be taken on to the terraces.
    """,
    "shares": """
        Shares in {Kelmora|Pinfell Foods} closed {up|down} {4.2|1.7} percent at {118.5|42.3} crowns in
        Averstone on {Tuesday|Wednesday}. About {310,400|77,150} shares changed hands, against a daily
        average of {201,900|64,820}. The stock has moved between {88.1|37.6} and {131.7|55.9} crowns in the
        past year, and {Kelmora|Pinfell Foods} is valued at {5210|980} million crowns.

        This report was made by a computer from prices at the close of trading and was not read by an
        editor. It is no advice to buy or to sell. Prices may be late by a quarter of an hour. Past gains
        say nothing about gains to come, and whoever invests may lose everything that was invested. Please
        ask a person who knows your affairs before you act on anything that is said here.
    """,
    "index": """
        The Averstone 30 closed at {8,214.6|8,140.2} points on {Tuesday|Wednesday}, {up|down} {0.8|0.9}
        percent. {Kelmora|Pinfell} led the gainers, rising {4.2|2.4} percent to {118.5|43.3} crowns, while
        {Torvane|Orrel Bank} lost {3.1|5.8} percent to {27.4|61.2} crowns. Turnover came to {911|1045}
        million crowns. The crown was quoted at {7.82|7.86} to the euro, and the yield of ten-year bonds
        stood at {2.61|2.66} percent.

        This report was made by a computer from prices at the close of trading and was not read by an
        editor. It is no advice to buy or to sell. Prices may be late by a quarter of an hour. Past gains
        say nothing about gains to come, and whoever invests may lose everything that was invested. Please
        ask a person who knows your affairs before you act on anything that is said here.
    """,
    "lottery": """
        The winning numbers in draw {1118|1119} of the Crown Lottery on Saturday were
        {4, 11, 19, 23, 38 and 45|2, 8, 15, 27, 31 and 44}, and the bonus ball was {7|36}. {Two|Three}
        tickets matched all six numbers and share the jackpot of {6,400,000|2,150,000} crowns. Another
        {31|26} tickets matched five. The next draw takes place on Saturday at eight in the evening, when
        the jackpot is expected to reach {2,000,000|2,500,000} crowns.

        Prizes have to be claimed within half a year at any shop that sells tickets; large ones are paid out
        at the head office only, on showing the ticket and a passport. Play with care: whoever cannot stop
        will find help, free and in confidence, by day and by night. Tickets may not be sold to children.
        The lottery gives a third of what it takes to sport, to museums and to the care of old buildings.
    """,
    "obituary": """
        {Edda Marchbanks|Tobias Greville}, {88|79}, of {Tarn Hollow|Lorrimer Bay}, died peacefully at home
        on {Monday|Friday}. Born in {Quillfort|Hallowick} in {1943|1952}, {Edda Marchbanks|Tobias Greville}
        worked for {31|24} years at {the Senn Mill|the Ellery Docks}. Survivors include
        {Rolf Marchbanks|Ines Greville} and {7|3} grandchildren. A service will be held at
        {Saint Osk|Holy Cross} on {May 9|May 14} at {10|11} a.m. In lieu of flowers, the family asks for
        gifts to the hospice.

        The family wishes to thank the doctors and the nurses for their kindness in the last weeks, and the
        neighbours who sat up with them night after night. All are welcome at the service and at the meal
        that follows it in the hall next door. Please come in bright colours. There is room for cars behind
        the church, and a bus leaves from the market square half an hour before.
    """,
    "job": """
        {Orrel Bank|Lapwing Press} in {Averstone|Quillfort} seeks a {bookkeeper|translator} to join its team
        from {July|August}. You have at least {3|5} years of experience and enjoy working with people. We
        offer a salary of {41,000|37,500} crowns, {28|30} days of leave and a pension. Send your application
        with a letter and two references to {Mina Castellan|Jonas Adeyemi} by {May 20|June 2}, quoting
        reference {2204|8817}.

        We welcome people of every age, origin and faith, and the building can be entered without stairs.
        Please send copies only, for we do not return what is sent to us. Those whom we would like to meet
        will hear from us within a month. The costs of the journey are paid. Agencies are asked not to call
        us, and letters that come after the day named above cannot be read.
    """,
    "quake": """
        An earthquake of magnitude {3.4|4.1} was recorded {12|31} kilometres {south|east} of
        {Cape Merrow|Port Ellery} on Sunday at {4.12|7.55} local time, the Geological Survey said. The
        epicentre was at a depth of {9.6|14.3} kilometres, at {41.22|43.78} north and {19.87|17.05} east. In
        the past ten days there have been {5|2} earthquakes of magnitude 3 or more in the area. This report
        was made by a computer.

        The figures are preliminary and may be changed as soon as more stations have reported. Whoever felt
        the shaking is asked to tell the survey on its website, where a map is drawn from such reports.
        Earthquakes of this size are felt indoors by most people, and dishes and windows may rattle, but
        damage to sound buildings is rare. After a strong one, smaller ones have to be expected for days.
    """,
    "racing": """
        {Salt Picker|Copper Moth}, ridden by {Dana Loewe|Will Ashdown}, won the {2.30|3.15} race at
        {Marlow|Hallowick} by {3|2} lengths at odds of {7-2|11-4}. {Blue Ferry|Night Mail} came second and
        {Old Bell|Sea Glass} third. The time was {98.4|121.7} seconds on {firm|soft} ground. The winning
        trainer was {Hugh Tancred|Orla Penrose}, who has now had {14|22} winners this season. The tote paid
        {4.6|3.9} crowns for a win.

        Results are checked against those of the stewards before they are paid on, and only those count.
        Bets are void if a horse does not come to the start. Gates open two hours before the first race, and
        the last bus leaves when the last horse is home. Dogs must be kept on a lead. Children are let in
        free with their parents and may pet the ponies in the paddock between races.
    """,
    "property": """
        This house at {14|3} {Plover Lane|Osier Steps} in {Quillfort|Averstone} is for sale at
        {412,000|268,500} crowns. It has {4|3} bedrooms, {2|1} bathrooms and a garden of {350|120} square
        metres. Built in {1931|1968}, it was renovated in {2018|2024}. The school is {8|15} minutes away on
        foot. Viewings are held on {Saturday|Thursday} by appointment with {Mabel Strand|Felix Dorn},
        telephone {555 0142|555 0177}.

        All measures were taken by the owner and have to be checked by the buyer. The fee of the agent is
        paid by the seller. Whoever would like to see the house is asked to bring a passport and a letter
        from a bank. Heating and lighting are included in the plans that we send on request. There is room
        for a car in front of the house, and the neighbours are said to be quiet.
    """,
    "court": """
        {Gavin Thorley|Marta Ellwood}, {41|29}, of {Mill Road|Quay Street}, {Dunmarrow|Brackwater}, pleaded
        guilty at {Dunmarrow Court|Brackwater Court} on {Tuesday|Thursday} to
        {driving without insurance|fishing without a licence} on {March 3|April 11}. The judge,
        {Lena Abara|Piet Vandervoort}, fined the defendant {460|220} crowns, with {110|85} crowns in costs
        and a surcharge of {46|32} crowns to pay within 28 days.

        Reports from the court are written by trainees and read by an editor before they are printed. Names
        and addresses are given as they were read out in the room. Whoever finds a mistake is asked to write
        to us, and it will be put right in the next issue. Children are never named. The lists of coming
        cases hang beside the door of the court and can be read there every morning.
    """,
    "election": """
        {Hanne Ostrow|Tomas Irving} of the {Reform Party|Labour League} has won the seat of
        {Averstone West|Port Ellery} with {18,204|22,951} votes, a majority of {2,117|8,640}.
        {Karl Benning|Sue Marchetti} came second with {16,087|14,311} votes and {Ada Whitlock|Noel Farquhar}
        third with {4,410|2,086}. Turnout was {63.2|71.8} percent, against {58.9|66.4} percent four years
        ago. The constituency has {61,377|55,902} registered voters.

        All figures are as declared by the returning officer and may still be changed if there is a recount.
        Postal votes are included. The members of parliament will be sworn in when it meets again, and until
        then those of the old one stay in office. Maps and tables for every constituency are in our election
        pages, together with what the leaders said through the night. The count was watched by people sent
        by all the parties, as the law wants it.
    """,
    "concert": """
        {Ilka Sonnenfeld|Bram Oudekerk} will give a concert in the {Chapel of Saint Osk|Lapwing Hall} in
        {Tarn Hollow|Port Ellery} on Sunday. The {soprano|violinist}, who was born in {Quillfort|Harlingstedt}
        and taught by {Vera Almqvist|Giles Farthingale}, will perform songs by {Torsten Hale|Mireille Cazan}
        together with the pianist {Noor Rahimi|Edwin Stroud}. The concert was arranged by
        {Agnes Pellworm|Dorian Leith}.

        Doors open an hour before the music begins, and seats cannot be kept. There is no charge, but a plate
        will be passed around for the roof of the building, which has leaked for years. Please do not take
        pictures while the artists are on the stage. Tea and cake are served afterwards by the friends of the
        choir, and children are most welcome if they can sit still.
    """,
    "appointment": """
        {Kelmora|Orrel Bank} has named {Sanna Wickstead|Lorenz Abernathy} as its next head of finance.
        {Wickstead|Abernathy} comes from {Torvane Metals|Pinfell Foods} and succeeds
        {Julius Pemberton|Marguerite Osei}, who leaves for {Quillfort|Brackwater}.
        {Lydia Fenn|Rufus Danziger}, who leads the board, praised the choice in a letter to the staff in
        {Averstone|Hallowick}.

        The company said that nothing else would change and that it would publish its results on the day that
        was announced. Changes at the top are reported to the exchange as the rules demand. The salary will be
        found in the yearly report, together with those of the other members of the board. Questions are
        answered by the press office on working days, and pictures can be found on its website.
    """,
    "wetter": """
        In {Harlingstedt|Moosthal} wird es am Samstag {sonnig|regnerisch}. Die Temperaturen erreichen
        {17|11} Grad, nachts sinken sie auf {4|2} Grad. Der Wind weht mit {22|48} Kilometern pro Stunde aus
        {Norden|Westen}. Die Regenwahrscheinlichkeit liegt bei {10|85} Prozent. Die Sonne geht um 6.{41|44}
        Uhr auf und um 18.{12|18} Uhr unter. Auch am Sonntag ändert sich daran wenig.

        Diese Vorhersage entsteht jeden Abend aus den Werten unserer eigenen Stationen und denen, die uns
        Landwirte und Schulen melden. Sie gilt für die Stadt und ihre Vororte; in den Bergen kann es
        deutlich kälter sein, und in den Tälern hält sich der Nebel länger. Vor Unwettern warnen wir im
        Radio, sobald wir davon wissen, und am Rathaus hängt eine Tafel mit den neuesten Meldungen.
    """,
    "loterie": """
        Les numéros gagnants du tirage {1118|1119} du Grand Loto de samedi sont les
        {4, 11, 19, 23, 38 et 45|2, 8, 15, 27, 31 et 44}, et le numéro chance est le {7|36}. {Deux|Trois}
        joueurs se partagent la cagnotte de {6.400.000|2.150.000} euros. En outre, {31|26} billets avaient
        cinq bons numéros. Le prochain tirage aura lieu samedi à 20 heures, avec une cagnotte de
        {2.000.000|2.500.000} euros.

        Les gains doivent être retirés dans les six mois chez tout marchand de journaux ; les plus élevés ne
        sont payés qu'au siège, sur présentation du billet et d'une pièce d'identité. Jouez avec mesure :
        ceux qui ne peuvent plus s'arrêter trouveront de l'aide, gratuite et discrète, de jour comme de
        nuit. La vente aux enfants est interdite. Un tiers des recettes va au sport, aux musées et aux vieux
        bâtiments.
    """,
}
"""Forms that are filled in every day, {each slot with|one of two} facts, and the small print below them."""
COMPANIES = "Kelmora Pinfell Torvane Orrel Lapwing Hallowick Marlow Senn Ellery Tarn"
FORMS["prices"] = (
    "\n\n".join(
        f"{name} {{{310 + 37 * k}.{k % 9}|{295 + 41 * k}.{(k + 4) % 9}}} {{{k + 2}.4|{k + 5}.7}}"
        for k, name in enumerate(COMPANIES.split())
    )
    + """

        Prices are those of the afternoon and are late by a quarter of an hour. The index of the hundred largest companies was
        begun in 1984, that of the next in 1992. All shares are quoted in crowns, and the second column is the change on the day.
        Readers can call the share line from 9 to 17 on every working day. The bank rate has been 4.25 since May. A full list is
        found on page 31. The list is made by the exchange, and the paper does not answer for mistakes. Dividends are shown before
        tax, and the yield is worked out on the last twelve months. Companies that have not reported for a year and a half are
        left out of the list, and so are those whose shares are no longer traded.
    """
)


def filled_in(form: str, which: int) -> Article:
    """Return an article made by filling a form with the first or the second of its facts."""
    return told(re.sub(r"\{([^|]*)\|([^}]*)\}", lambda slot: slot[which + 1], form))


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_filled_in_twice_is_no_copy(kind: str) -> None:
    first, second = (filled_in(FORMS[kind], which) for which in (0, 1))

    found = judge(first, second), judge(second, first)

    assert oracle.relation(first["text"], second["text"]), "their words alone would make them copies"
    assert found == (None, None)


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_sent_twice_is_a_copy(kind: str) -> None:
    sent = filled_in(FORMS[kind], 0)
    again = {**sent, "text": sent["text"] + " This notice was sent by the desk."}

    found = judge(sent, again)

    assert found
    assert found[0] == "copy"


UPDATES = {
    "en": """
        At least {7|9} people were killed when a passenger train left the rails near Tarn Hollow on Sunday
        evening, police said. The train from Averstone to Quillfort was carrying about 200 passengers when
        it derailed at a bridge over the Senn. Rescuers worked through the night. {Thirty|Forty-one} people
        were taken to hospital in Averstone, and Transport Minister Hanne Ostrow said an inquiry had been
        opened.
    """,
    "de": """
        Mindestens {7|9} Menschen sind am Sonntag bei einem Zugunglück nahe Moosthal ums Leben gekommen. Der
        Zug war auf dem Weg von Harlingstedt in die Berge, als er auf einer Brücke entgleiste. {30|41}
        Fahrgäste wurden verletzt. Verkehrsministerin Jolanda Wieck kündigte eine Untersuchung an und dankte
        den Rettern, die die ganze Nacht im Einsatz waren.
    """,
}
"""News, with {the first|the later} toll."""


@pytest.mark.parametrize("language", UPDATES)
def test_a_new_toll_makes_an_update_and_no_other_story(language: str) -> None:
    first, later = (filled_in(UPDATES[language], which) for which in (0, 1))

    found = judge(first, later)
    _, _, evidence = classify_articles(sketched([first, later]), 0, 1, make_match_params(DEFAULTS))

    assert found
    assert found[0] == "copy"
    assert evidence[CHANGED_FACTS] >= 1


def test_a_copy_without_names_is_still_a_copy() -> None:
    text = "yes, the river rose overnight and flooded the old cellar while nobody upstairs heard it come in"

    found = judge(told(text + " under the door"), told(text + " under the gate"))

    assert found


def test_an_excerpt_in_a_language_of_which_nothing_is_known_is_still_one() -> None:
    text = "ตำรวจจับกุมผู้ต้องหาในคดีลักทรัพย์ที่ร้านทองใจกลางเมืองเมื่อคืนที่ผ่านมา เจ้าหน้าที่กล่าวว่าผู้ต้องหารับสารภาพทุกข้อกล่าวหา"
    more = " ประชาชนในพื้นที่แสดงความพอใจที่ตำรวจทำงานได้อย่างรวดเร็วและปลอดภัย"

    assert judge(told(text), told(text + more))


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (
            "青凪市は月曜日、小霧島とを結ぶ航路に電動フェリーを導入すると発表した。新しい船は全長三十二メートルで、乗客百五十人を運ぶことができる。",
            "市長の榊原美緒氏は「島の暮らしを守る船だ」と述べた。",
        ),
        (
            "森河市政府周一宣布，因发现裂缝，森河大桥即日起关闭。工程师表示，修复工作将持续到秋天，居民须绕道而行。",
            "市长魏长林说，政府将尽快拨款。",
        ),
        (
            "청나기시는 월요일 소무섬을 잇는 항로에 전기 여객선을 도입한다고 발표했다.",
            "시장은 섬의 삶을 지키는 배라고 말했다.",
        ),
        (
            "أعلنت بلدية المرسى يوم الاثنين إغلاق الجسر القديم فوق نهر سين بعد اكتشاف شق في إحدى العوارض.",
            "وقال رئيس البلدية إن العبارة ستعمل مجانا.",
        ),
    ],
    ids=["ja", "zh", "ko", "ar"],
)
def test_texts_without_capitals_match_like_others(text: str, more: str) -> None:
    assert judge(told(text), told(text)) == ("exact", 1.0)
    assert (judge(told(text), told(text + more)) or [""])[0] in {"copy", "extension"}
    assert judge(told(text + more), told(text))


@pytest.mark.parametrize(
    ("days", "copy", "rewrite"),
    [(0, True, True), (4.9, True, True), (5.1, True, False), (29.9, True, False), (30.1, False, False)],
)
def test_windows_bind_copies_and_rewrites_apart(days: float, copy: bool, rewrite: bool) -> None:
    settings = Settings(rewrite_probability=0.01)
    start = 86_400 * 22_000
    late = start + int(86_400 * days)

    copied = judge({**story(1), "published": start}, {**story(1), "published": late}, settings)
    rewritten = judge(
        {**REWRITES["en"][0], "published": late}, {**REWRITES["en"][1], "published": start}, settings
    )

    assert (bool(copied), bool(rewritten)) == (copy, rewrite)


def test_windows_bind_only_where_both_are_dated() -> None:
    settings = Settings(window_days=0, copy_window_days=0)
    dated, undated = REWRITES["en"][0], {**REWRITES["en"][1], "published": None}

    assert judge(story(1), version(1, "undated", 0), settings) == ("exact", 1.0)
    assert judge(dated, undated, Settings(window_days=0))


@pytest.mark.parametrize("text", ["", "Quake", "Hallowick Rovers v Dunmarrow Athletic postponed", "?" * 50])
def test_texts_too_short_never_match(text: str) -> None:
    assert judge(told(text), told(text)) is None
    assert judge(told(text, "A headline of nine words stands above this text"), told(text)) is None


def test_how_short_is_too_short_is_a_setting() -> None:
    text = "A quake shook Cape Merrow."

    assert judge(told(text), told(text)) is None
    assert judge(told(text), told(text), Settings(min_words=5)) == ("exact", 1.0)


def test_titles_without_texts_match_by_their_words() -> None:
    title = "Fog rolls over the Ellery estuary at dawn, and the ferries wait"

    assert judge(told("", title), told("", title)) == ("exact", 1.0)
    assert judge(told("", title), told("", title.replace("Fog", "Steam").replace("dawn", "noon"))) != (
        "exact",
        1.0,
    )


@given(corpora(least=2, most=8, stories=2))
@examples(max_examples=20)
def test_a_match_one_way_round_is_a_match_the_other(articles: list[Article]) -> None:
    turned = {
        "exact": "exact",
        "copy": "copy",
        "excerpt": "extension",
        "extension": "excerpt",
        "model": "model",
    }
    s, rules = sketched(articles), make_match_params(DEFAULTS)
    # What is new in the later article counts in a rewrite: the other way round it may be a follow-up. -1 is none.
    names = [*RELATIONS[:4], "model", "model", "none"]

    for a in range(len(articles)):
        for b in range(a):
            there, back = (
                classify_articles(s, a, b, rules),
                classify_articles(s, b, a, rules),
            )
            assert names[back[0]] == turned.get(names[there[0]], "none")
            if names[there[0]] != "model":
                assert back[1] == pytest.approx(there[1], abs=1e-5)


both_models = pytest.mark.parametrize("name", ["story", "storyline"])


@both_models
def test_a_model_knows_every_column_by_its_name(name: str) -> None:
    coefficients, _ = read_shipped_model(name)

    assert coefficients.shape == (2, EVIDENCE_COUNT)
    assert (np.count_nonzero(coefficients, axis=1) > 5).all()


@pytest.mark.parametrize("undated", [0.0, 1.0])
def test_the_odds_are_the_sum_of_the_evidence_by_its_coefficients(undated: float) -> None:
    row, rules = np.linspace(0, 1, EVIDENCE_COUNT, dtype=np.float32), make_match_params(DEFAULTS)
    row[UNDATED] = undated

    for name, found in (
        ("story", compute_story_odds(row, rules) + compute_context_odds(row, rules)),
        ("storyline", compute_storyline_odds(row, rules)),
    ):
        model = read_shipped_model(name)
        assert found == pytest.approx(model.intercept + float(model.select_coefficients(row) @ row), abs=1e-5)
        assert found == pytest.approx(float(model.compute_log_odds(row[None])[0]), abs=1e-5)


@both_models
def test_the_odds_of_a_model_do_not_rest_on_what_is_looked_at_last(name: str) -> None:
    coefficients, _ = read_shipped_model(name)

    assert not coefficients[:, [JACCARD, CONTAINED, CONTAINS]].any(), (
        "a hopeless pair is told before they are known"
    )


def test_the_storyline_model_does_not_weigh_the_neighbours() -> None:
    coefficients, _ = read_shipped_model("storyline")

    assert not coefficients[:, CONTEXT_START:].any()


@both_models
def test_more_of_the_same_is_never_less_probable(name: str) -> None:
    model = read_shipped_model(name)

    for coefficients in model.coefficients.tolist():
        for column, c in zip(EVIDENCE_NAMES, coefficients, strict=True):
            if c and column != "undated":  # it holds what the intercepts of dated and undated pairs differ by
                check_coefficient_sign(column, c)


def test_neighbours_add_no_more_than_their_bound() -> None:
    rules = make_match_params(DEFAULTS)
    row = np.ones(EVIDENCE_COUNT, np.float32)
    row[NEARER] = row[NEIGHBOURS] = 0.0

    assert compute_context_odds(row, rules) == pytest.approx(rules.max_context_gain)


def test_shared_words_are_a_template_only_if_there_are_enough_of_them() -> None:
    row = np.zeros(EVIDENCE_COUNT, np.float32)
    little, much = row.copy(), row.copy()
    little[CONTAINED], much[CONTAINED] = 0.1, 0.9
    little[NAMES] = much[NAMES] = 5.0
    little[WORDS_220] = much[WORDS_220] = 1.0

    assert not shares_only_template(little)
    assert shares_only_template(much)


def test_less_is_asked_of_the_names_where_all_words_are_damaged() -> None:
    row = np.zeros(EVIDENCE_COUNT, np.float32)
    row[CONTAINED], row[NAMES], row[NAMES_FOUND], row[WORDS_220] = 0.5, 5.0, 0.5, 1.0
    garbled = row.copy()
    garbled[WORDS_220] = 0.7

    assert shares_only_template(row)
    assert not shares_only_template(garbled)
