"""Record the settings, models and library versions that an index is made with, and compare them when it is opened.

All answers of one index must come from the same rules (law 1). So an index refuses other settings, and names the differences.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from dedup.errors import IndexingError, SettingsError
from dedup.settings.settings import Settings, dump_settings

SKETCH_FORMAT = "2"
"""The version of the content and the packing of sketches: it rises with each change that makes old sketches useless."""
IGNORED_SETTINGS = ("threads", "memory", "work_dir", "keep", "sources", "undated")
"""Settings that may differ at each opening: an index keeps the article that comes first, and `undated` dates arrivals only."""
FILE_SETTINGS = ("boilerplate", "model")
"""Settings that are recorded as a digest only."""
SETTINGS_KEY, MODELS_KEY, FORMAT_1_MODEL_KEY = "settings", "models", "story model"
"""Entries of the meta table; the last one is of the first format, which had one model and no levels."""
UNDATED_KEY = "undated"
"""The entry of an index that was made with undated=now, so that later openings date articles too."""
DATA_TABLES = ("characters.npz", "words-en.npz", "words-de.npz")
LIBRARIES = ("PyStemmer", "wordfreq")
"""Other releases of these may stem or weigh words differently."""
DIGEST_BYTES = 8


def compute_fingerprint(settings: Settings) -> dict[str, str]:
    """Return the settings and versions that decide which articles match, by name."""
    chosen = {name: value for name, value in dump_settings(settings).items() if name not in IGNORED_SETTINGS}
    return {
        "sketch format": SKETCH_FORMAT,
        SETTINGS_KEY: json.dumps(chosen, sort_keys=True),
        MODELS_KEY: hash_data_files("story.json", "storyline.json"),
        "word lists": hash_data_files(*DATA_TABLES),
        **{name: version(name) for name in LIBRARIES},
    }


def build_meta(settings: Settings) -> dict[str, str]:
    """Return the entries of a new index: its fingerprint, and undated=now where the settings say so."""
    remembered = {UNDATED_KEY: settings.undated} if settings.undated == "now" else {}
    return {**compute_fingerprint(settings), **remembered}


def apply_remembered_undated(settings: Settings, meta: Mapping[str, str]) -> Settings:
    """Return the settings with undated=now where the index was made with it; undated=apart overrides that."""
    if settings.undated == "auto" and meta.get(UNDATED_KEY) == "now":
        return replace(settings, undated="now")
    return settings


def hash_data_files(*names: str) -> str:
    """Return a digest of the given data files of the package: sixteen hexadecimal digits."""
    found = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for name in names:
        found.update((files("dedup") / "data" / name).read_bytes())
    return found.hexdigest()


def read_index_level(meta: Mapping[str, str]) -> str:
    """Return the level that an index was made for: `storyline` in the first format, which had no other."""
    try:
        return str(json.loads(meta[SETTINGS_KEY]).get("level", "storyline"))
    except (KeyError, ValueError, AttributeError, RecursionError):
        return "storyline"


def read_index_settings(meta: Mapping[str, str], name: str, *, whole: bool = True) -> Settings:
    """Return the settings that an index was made with; IndexingError where it does not record all of them.

    An index records only the digests of the boilerplate and model files that it was made with. Without `whole`, the settings
    may lack these two.
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
    """Return the settings as an index records them; IndexingError where they cannot be read."""
    try:
        found = json.loads(meta[SETTINGS_KEY])
    except (KeyError, ValueError, RecursionError) as error:
        raise make_missing_settings_error(name) from error
    if not isinstance(found, dict):
        raise make_missing_settings_error(name)
    return found


def make_missing_settings_error(name: str) -> IndexingError:
    """Return the error of an index that does not record its settings."""
    return IndexingError(f"the index {name} does not say what settings it was made with")


def refuse_format_1(meta: Mapping[str, str], name: str) -> None:
    """Raise IndexingError where an index was made by the first version of dedup, which had one level and one model."""
    if FORMAT_1_MODEL_KEY in meta and MODELS_KEY not in meta:
        raise IndexingError(
            f"the index {name} was made for --level {read_index_level(meta)} by the one model of an "
            "earlier version: "
            "dedup index can still read it and expire its articles, but to add more make another index, in another place"
        )


def check_models(meta: Mapping[str, str], settings: Settings, name: str) -> None:
    """Raise IndexingError where an index was made by other models than those of the settings."""
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
    """Raise IndexingError where an index was made by other rules, for another level or with other settings; name them."""
    refuse_format_1(meta, name)
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
    """Raise IndexingError where an index was made for another level than the wanted one."""
    if index_level != wanted_level:
        raise IndexingError(
            f"the index {name} was made for --level {index_level}, not {wanted_level}: open it with "
            f"--level {index_level}, or make another "
            f"index, in another place, with --level {wanted_level}"
        )
