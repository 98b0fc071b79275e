"""What an index must agree on with those who use it: whatever decides which articles match.

In: settings. Out: names and values, as text, that are written down when an index is made and compared when it is opened. Two
answers from one index must come from one set of rules (law 1), so other settings are refused, with what differs.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from dedup.errors import IndexingError, SettingsError
from dedup.settings.settings import Settings, as_written

FORMAT = "2"
"""What sketches are made of and how they are packed: another number for each change that makes old ones useless."""
FREE = ("threads", "memory", "work_dir", "keep", "sources", "undated")
"""Settings that an index is indifferent to: whoever comes first is kept."""
FROM_FILES = ("furniture", "model")
"""Settings of which only a digest is written down."""
SETTINGS, MODELS, FIRST_MODEL = "settings", "models", "story model"
"""Entries of an index; the last was that of the first version, which had one model and no levels."""
TABLES = ("characters.npz", "words-en.npz", "words-de.npz")
LIBRARIES = ("PyStemmer", "wordfreq")
"""Other releases of these may give other stems and weights to some words."""
DIGEST_BYTES = 8


def fingerprint(settings: Settings) -> dict[str, str]:
    """Return what decides which articles match, by name."""
    chosen = {name: value for name, value in as_written(settings).items() if name not in FREE}
    return {
        "sketch format": FORMAT,
        SETTINGS: json.dumps(chosen, sort_keys=True),
        MODELS: digest("story.json", "storyline.json"),
        "word lists": digest(*TABLES),
        **{name: version(name) for name in LIBRARIES},
    }


def digest(*names: str) -> str:
    """Return sixteen hexadecimal digits of some of the package's data files."""
    found = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for name in names:
        found.update((files("dedup") / "data" / name).read_bytes())
    return found.hexdigest()


def level_in(meta: Mapping[str, str]) -> str:
    """Return the level that an index was made for; those of the first format knew storylines alone."""
    try:
        return str(json.loads(meta[SETTINGS]).get("level", "storyline"))
    except (KeyError, ValueError, AttributeError, RecursionError):
        return "storyline"


def settings_in(meta: Mapping[str, str], name: str, *, whole: bool = True) -> Settings:
    """Return the settings that an index was made with; IndexingError where it alone does not tell all of them.

    Furniture and a story model it does not hold: without `whole`, settings that lack them will do.
    """
    stored = written(meta, name)
    try:
        known = {knob.name for knob in fields(Settings)} - set(FROM_FILES)
        values: dict[str, Any] = {key: stored[key] for key in known & stored.keys()}
        values.setdefault("level", level_in(meta))
        values |= {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
        settings = Settings(**values)
    except (ValueError, TypeError, SettingsError) as error:
        raise silent(name) from error
    needed = [key for key in FROM_FILES if stored.get(key)]
    if needed and whole:
        raise IndexingError(f"the index {name} was made with its own {' and '.join(needed)}: give that again")
    return settings


def written(meta: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return the settings that are written down in an index; IndexingError where there are none to read."""
    try:
        found = json.loads(meta[SETTINGS])
    except (KeyError, ValueError, RecursionError) as error:
        raise silent(name) from error
    if not isinstance(found, dict):
        raise silent(name)
    return found


def silent(name: str) -> IndexingError:
    """Return the error of an index of which nobody can know what it holds."""
    return IndexingError(f"the index {name} does not say what settings it was made with")


def check_version(meta: Mapping[str, str], name: str) -> None:
    """Raise IndexingError where an index was made by the first version of dedup, which knew one level and one model."""
    if FIRST_MODEL in meta and MODELS not in meta:
        raise IndexingError(
            f"the index {name} was made for --level {level_in(meta)} by the one model of an earlier version: "
            "dedup index can still read it and expire its articles, but to add more make another index, in another place"
        )


def check_models(meta: Mapping[str, str], settings: Settings, name: str) -> None:
    """Raise IndexingError where an index was made by other models than those that the settings would take now."""
    own = settings.model and settings.model.digest
    if meta.get(MODELS) != fingerprint(settings)[MODELS] or written(meta, name).get("model") != own:
        raise IndexingError(
            f"the index {name} was made by other models, so its kept articles cannot be compared; verify it without --deep"
        )


def check(meta: Mapping[str, str], settings: Settings, name: str) -> None:
    """Raise IndexingError where an index was made by other rules, for another level or with other settings, and say which."""
    check_version(meta, name)
    now = fingerprint(settings)
    differing = [key for key in now if meta.get(key) != now[key]]
    others = [f"{key} {meta.get(key, 'not said')}, now {now[key]}" for key in differing if key != SETTINGS]
    if others:
        raise IndexingError(
            f"the index {name} was made by other rules ({'; '.join(others)}): make another index, in another place"
        )
    check_level(level_in(meta), settings.level, name)
    if differing:
        before, after = written(meta, name), json.loads(now[SETTINGS])
        said = [
            f"{key} was {before.get(key)!r} and is {after.get(key)!r}"
            for key in sorted({*before, *after})
            if before.get(key) != after.get(key)
        ]
        raise IndexingError(f"the index {name} was made with other settings: {', '.join(said)}")


def check_level(made_for: str, asked: str, name: str) -> None:
    """Raise IndexingError where an index was made for another level than the one asked for."""
    if made_for != asked:
        raise IndexingError(
            f"the index {name} was made for --level {made_for}, not {asked}: open it with --level {made_for}, or make another "
            f"index, in another place, with --level {asked}"
        )
