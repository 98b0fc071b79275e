"""The words that terms stand for, and their marks in a lead."""

from newsmaker import sketched

from dedup.reports.lead_diff import LeadSource, build_lead
from dedup.reports.surface_forms import find_shared_names_and_numbers, get_term_kinds
from dedup.text.vocabulary import load_vocabulary

TOLD = "Hôm qua ông Trần Quốc Kiệm mở chuyến phà điện chở 120 khách ra đảo."
RETOLD = "Chuyến phà chở 120 khách, theo ông Trần Quốc Kiệm, sẽ chạy mỗi ngày."


def test_a_name_of_several_syllables_is_read_as_one() -> None:
    s = sketched([{"text": text, "language": "vi"} for text in (TOLD, RETOLD)])

    names, numbers = find_shared_names_and_numbers(s, (0, 1), TOLD, load_vocabulary("vi"))

    assert sorted(names) == ["Quốc Kiệm", "Trần Quốc"]
    assert numbers == ("120",)


def test_a_name_of_several_syllables_is_marked_as_a_whole() -> None:
    s = sketched([{"text": text, "language": "vi"} for text in (TOLD, "Hôm qua mưa.")])
    own, other = (
        LeadSource("", text, get_term_kinds(s, a), load_vocabulary("vi"))
        for a, text in enumerate((TOLD, "Hôm qua mưa."))
    )

    found = build_lead(own, other)

    marked = [found.text[mark.start : mark.end] for mark in found.marks if mark.kind == "own name"]
    assert marked == ["Trần Quốc Kiệm"]
