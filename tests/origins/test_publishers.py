"""A publisher is a registered domain or a name; domains of one owner form a group."""

from pathlib import Path

import pytest

from dedup.errors import InputError
from dedup.origins.publishers import (
    add_publisher_groups,
    find_group,
    find_publisher,
    load_default_groups,
    read_publisher_groups,
)


@pytest.mark.parametrize(
    ("source", "url", "publisher"),
    [
        ("Sport", "https://sport.bugle.example/a/b?c=d", "bugle.example"),
        ("news.bugle.co.uk", None, "bugle.co.uk"),
        ("The Bugle", None, "the bugle"),
        (" ", "", None),
        (None, None, None),
        ("Ferries", "https://ferries.blogspot.com/2026", "ferries.blogspot.com"),
        ("Abend", "https://www.abend.gv.at/a", "abend.gv.at"),
        ("Bücher", "https://xn--bcher-kva.de/a", "bücher.de"),
        ("The Bugle", "http://10.0.0.1/a", "the bugle"),
        ("P.T.A.", "javascript:alert(1)", "p.t.a."),
    ],
)
def test_a_publisher_is_a_domain_or_a_name(
    source: str | None, url: str | None, publisher: str | None
) -> None:
    assert find_publisher(source, url) == publisher


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("owners.csv", "domain,group\nbugle.example,Brass\n"),
        ("owners.csv", "source,group\nhttps://www.bugle.example/,Brass\n"),
        ("owners.json", '{"bugle.example": "Brass"}'),
        ("owners.json", '[{"domain": "bugle.example", "group": "Brass"}]'),
    ],
)
def test_a_file_names_the_group_of_a_publisher(name: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)

    groups = read_publisher_groups(path)

    assert groups["bugle.example"] == "Brass"
    assert groups.items() >= load_default_groups().items()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("owners.csv", "domain,group\na.example,A\na.example,B\n", "gives a.example two groups: A and B"),
        ("owners.csv", "domain,group\na.example,\n", "row 1 .* needs a domain"),
        ("owners.csv", "site,owner\na.example,A\n", "the columns are domain and group"),
        ("owners.csv", "", "names no publisher"),
        ("owners.csv", "domain,group\n", "names no publisher"),
        ("owners.csv", "domain;group\na.example;A\n", "the columns are domain and group"),
        ("owners.csv", f"domain,group\na.example,{'A' * 200_000}\n", "is not CSV"),
        ("owners.json", "{}", "names no publisher"),
        ("owners.json", '{"a.example": ["A", "B"]}', "row 1 .* needs a domain"),
        ("owners.json", '[{"domain": 7, "group": "A"}]', "row 1 .* needs a domain"),
        ("owners.json", '{"a.example": "A", "www.a.example": "B"}', "gives a.example two groups: A and B"),
        ("owners.json", "[1]", "an object of domains and groups"),
        ("owners.json", "{", "is not JSON"),
    ],
)
def test_a_wrong_file_is_one_sentence(name: str, content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)

    with pytest.raises(InputError, match=message):
        read_publisher_groups(path)


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "owners.csv"
    path.write_bytes(b"domain,group\n\xff\xfe,A\n")

    with pytest.raises(InputError, match="cannot be read"):
        read_publisher_groups(path)


@pytest.mark.parametrize(
    ("source", "publisher", "group"),
    [
        ("The Bugle ", "bugle.example", "Brass"),
        ("THE BUGLE", None, "Brass"),
        ("Sport", "horn.example", "Horn"),
        ("The Bugle", "horn.example", "Brass"),
        ("Sport", None, None),
        (None, None, None),
    ],
)
def test_an_owner_may_be_named_by_source_or_by_domain(
    source: str | None, publisher: str | None, group: str | None
) -> None:
    groups = add_publisher_groups({"The Bugle": "Brass", "horn.example": "Horn"})

    assert find_group(source, publisher, groups) == group


def test_the_same_group_twice_is_no_contradiction(tmp_path: Path) -> None:
    path = tmp_path / "owners.csv"
    path.write_text("domain,group\na.example,A\nwww.a.example,A\n")

    assert read_publisher_groups(path)["a.example"] == "A"


def test_the_well_known_groups_are_written_as_publishers_are_found() -> None:
    assert all(find_publisher(domain, None) == domain for domain in load_default_groups())
