"""The names of the package: functions act, one name means one thing, and docstrings begin with what a function does."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "dedup"
TREES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
Function = ast.FunctionDef | ast.AsyncFunctionDef

VERBS = frozenset(
    """
    add append apply are ask assert assign attach await begin bind build calculate call can cancel cannot change check
    choose classify clean clear click close cluster collect combine commit compare compile complete compress compute
    concat configure connect convert copy count create decide decode decompress deduplicate define delete describe
    detect dispatch display does download drop dump echo emit encode ensure enter escape estimate evaluate exit expand
    expire explain export extract fetch fill filter find fit flatten flush fold format gather generate get group guess
    handle has hash highlight identify import index infer init insert invoke is iter iterate join keep label learn
    list load lock log look lookup make map mark match measure merge migrate move must need normalize notify open
    order pack parse patch pick plan plot pop predict prepare print process pull push put query raise rank read
    rebuild record reduce register reject release remove rename render repair repeat replace report request require
    reserve reset resolve restore retry return review run sample save scan score search select send serve set should
    show sign sketch skip sort split start stop store stream strip submit sum summarize supports swap sync take test
    to tokenize train transform truncate try unpack unwrap update upload use validate verify visit wait walk warn
    weigh wrap write yield
    """.split()
)
IRREGULAR = frozenset(
    """
    brought built drawn found given held kept known left lost made met seen sent shown taken told written
    """.split()
)
"""Participles that do not end in -ed."""

AT_THE_TOP = 22
"""Fourteen packages and the data folder; the door, its main, errors, formatting, jit, parallel, precompile, the mark of types."""
REUSED = {
    "deduplicate": "the same call, over a corpus and over a DataFrame of Spark",
    "evaluate": "the same call, over a result and over labelled pairs",
    "read_articles": "the same call, over files here and on Spark",
}
"""Top-level names that two modules define, each with the reason why it is one idea."""
PARTICIPLES = {
    "connection_lost": "asyncio calls it so",
    "connection_made": "asyncio calls it so",
    "installed_version": "the version is installed",
}
"""Names that look like participles, each with the reason why it stays."""


def functions() -> Iterator[tuple[str, Function]]:
    """Yield (module, function) for each function and method but the special ones and properties."""
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, Function) and not node.name.startswith("__") and not is_property(node):
                yield module, node


def is_property(node: Function) -> bool:
    names = {getattr(each, "id", getattr(each, "attr", "")) for each in node.decorator_list}
    return bool(names & {"property", "cached_property"})


def first_word(name: str) -> str:
    return name.strip("_").split("_")[0]


def is_participle(name: str) -> bool:
    head, last = first_word(name), name.strip("_").split("_")[-1]
    ends_so = head.endswith("ed") and len(head) > 4
    return head not in VERBS and (ends_so or bool({head, last} & IRREGULAR))


def test_most_functions_begin_with_a_verb() -> None:
    names = [node.name for _, node in functions()]

    assert sum(first_word(name) in VERBS for name in names) >= 0.9 * len(names)


def test_no_function_is_named_by_a_participle_or_for_what_it_is_of() -> None:
    wrong = [
        f"{module}: {node.name}"
        for module, node in functions()
        if node.name not in PARTICIPLES and (is_participle(node.name) or node.name.endswith("_of"))
    ]

    assert wrong == []


def test_a_name_at_the_top_of_a_module_means_one_thing() -> None:
    places = defaultdict(set)
    for module, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, Function | ast.ClassDef):
                places[node.name].add(module)

    assert {name: where for name, where in places.items() if len(where) > 1 and name not in REUSED} == {}


def test_the_top_of_the_package_stays_small() -> None:
    entries = {path.name for path in PACKAGE.iterdir() if not path.name.startswith((".", "__pycache__"))}
    entries -= {"kernels"}  # compiled, and no part of the source

    assert len(entries) <= AT_THE_TOP, entries


def test_docstrings_begin_with_a_verb_in_the_imperative() -> None:
    words = Counter[str]()
    for _, node in functions():
        words[(ast.get_docstring(node) or "Return").split()[0].strip(",:;.")] += 1

    wrong = {
        word
        for word in words
        if word[0].islower() or (word.endswith("s") and word not in {"Pass", "Express"})
    }
    assert (
        wrong | (words.keys() & {"A", "All", "An", "How", "It", "Some", "So", "The", "What", "Which"})
        == set()
    )
