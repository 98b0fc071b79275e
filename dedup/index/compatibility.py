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
from dedup.settings.settings import Settings, dump_settings

SKETCH_FORMAT = "2"
"""What sketches are made of and how they are packed: another number for each change that makes old ones useless."""
IGNORED_SETTINGS = ("threads", "memory", "work_dir", "keep", "sources", "undated")
"""Settings that an index is indifferent to: whoever comes first is kept."""
FILE_SETTINGS = ("boilerplate", "model")
"""Settings of which only a digest is written down."""
SETTINGS_KEY, MODELS_KEY, FORMAT_1_MODEL_KEY = "settings", "models", "story model"
"""Entries of an index; the last was that of the first version, which had one model and no levels."""
DATA_TABLES = ("characters.npz", "words-en.npz", "words-de.npz")
LIBRARIES = ("PyStemmer", "wordfreq")
"""Other releases of these may give other stems and weights to some words."""
DIGEST_BYTES = 8


def compute_fingerprint(settings: Settings) -> dict[str, str]:
    """Return what decides which articles match, by name."""
    chosen = {name: value for name, value in dump_settings(settings).items() if name not in IGNORED_SETTINGS}
    return {
        "sketch format": SKETCH_FORMAT,
        SETTINGS_KEY: json.dumps(chosen, sort_keys=True),
        MODELS_KEY: hash_data_files("story.json", "storyline.json"),
        "word lists": hash_data_files(*DATA_TABLES),
        **{name: version(name) for name in LIBRARIES},
    }


def hash_data_files(*names: str) -> str:
    """Return sixteen hexadecimal digits of some of the package's data files."""
    found = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for name in names:
        found.update((files("dedup") / "data" / name).read_bytes())
    return found.hexdigest()


def read_index_level(meta: Mapping[str, str]) -> str:
    """Return the level that an index was made for; those of the first format knew storylines alone."""
    try:
        return str(json.loads(meta[SETTINGS_KEY]).get("level", "storyline"))
    except (KeyError, ValueError, AttributeError, RecursionError):
        return "storyline"


def read_index_settings(meta: Mapping[str, str], name: str, *, whole: bool = True) -> Settings:
    """Return the settings that an index was made with; IndexingError where it alone does not tell all of them.

    Boilerplate and a story model it does not hold: without `whole`, settings that lack them will do.
    """
    stored = read_stored_settings(meta, name)
    try:
        known = {knob.name for knob in fields(Settings)} - set(FILE_SETTINGS)
        values: dict[str, Any] = {key: stored[key] for key in known & stored.keys()}
        values.setdefault("level", read_index_level(meta))
        values |= {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
        settings = Settings(**values)
    except (ValueError, TypeError, SettingsError) as error:
        raise make_missing_settings_error(name) from error
    needed = [key for key in FILE_SETTINGS if stored.get(key)]
    if needed and whole:
        raise IndexingError(f"the index {name} was made with its own {' and '.join(needed)}: give that again")
    return settings


def read_stored_settings(meta: Mapping[str, str], name: str) -> dict[str, Any]:
    """Return the settings that are written down in an index; IndexingError where there are none to read."""
    try:
        found = json.loads(meta[SETTINGS_KEY])
    except (KeyError, ValueError, RecursionError) as error:
        raise make_missing_settings_error(name) from error
    if not isinstance(found, dict):
        raise make_missing_settings_error(name)
    return found


def make_missing_settings_error(name: str) -> IndexingError:
    """Return the error of an index of which nobody can know what it holds."""
    return IndexingError(f"the index {name} does not say what settings it was made with")


def check_version(meta: Mapping[str, str], name: str) -> None:
    """Raise IndexingError where an index was made by the first version of dedup, which knew one level and one model."""
    if FORMAT_1_MODEL_KEY in meta and MODELS_KEY not in meta:
        raise IndexingError(
            f"the index {name} was made for --level {read_index_level(meta)} by the one model of an "
            "earlier version: "
            "dedup index can still read it and expire its articles, but to add more make another index, in another place"
        )


def check_models(meta: Mapping[str, str], settings: Settings, name: str) -> None:
    """Raise IndexingError where an index was made by other models than those that the settings would take now."""
    own = settings.model and settings.model.digest
    if (
        meta.get(MODELS_KEY) != compute_fingerprint(settings)[MODELS_KEY]
        or read_stored_settings(meta, name).get("model") != own
    ):
        raise IndexingError(
            f"the index {name} was made by other models, so its kept articles cannot be compared; "
            "verify it without --deep"
        )


def check_compatible(meta: Mapping[str, str], settings: Settings, name: str) -> None:
    """Raise IndexingError where an index was made by other rules, for another level or with other settings, and say which."""
    check_version(meta, name)
    now = compute_fingerprint(settings)
    differing = [key for key in now if meta.get(key) != now[key]]
    others = [
        f"{key} {meta.get(key, 'not said')}, now {now[key]}" for key in differing if key != SETTINGS_KEY
    ]
    if others:
        raise IndexingError(
            f"the index {name} was made by other rules ({'; '.join(others)}): make another index, in "
            "another place"
        )
    check_level(read_index_level(meta), settings.level, name)
    if differing:
        before, after = read_stored_settings(meta, name), json.loads(now[SETTINGS_KEY])
        said = [
            f"{key} was {before.get(key)!r} and is {after.get(key)!r}"
            for key in sorted({*before, *after})
            if before.get(key) != after.get(key)
        ]
        raise IndexingError(f"the index {name} was made with other settings: {', '.join(said)}")


def check_level(index_level: str, wanted_level: str, name: str) -> None:
    """Raise IndexingError where an index was made for another level than the one asked for."""
    if index_level != wanted_level:
        raise IndexingError(
            f"the index {name} was made for --level {index_level}, not {wanted_level}: open it with "
            f"--level {index_level}, or make another "
            f"index, in another place, with --level {wanted_level}"
        )
