"""Find a folder for compiled code, in which nobody else can write: who changes a file there runs code in our processes."""

import os
import stat
import tempfile
from functools import cache
from pathlib import Path

from platformdirs import user_cache_dir


@cache
def find_cache_folder() -> Path:
    """Return a folder that only this user can write; make it if it is missing.

    It is in the cache of the user (`XDG_CACHE_HOME` on Linux), otherwise in the temporary folder. If neither is private, it
    is a new one for this process. Raise `OSError` if no folder can be made.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    for find_home, name in ((user_cache_dir, "dedup"), (tempfile.gettempdir, f"dedup-{user}")):
        try:
            folder = Path(find_home()) / name
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            continue
        if is_private_folder(folder) and os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="dedup-"))


def is_private_folder(folder: Path) -> bool:
    """Return whether a path is a folder of this user, not a link, that nobody else can write."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return False
    if not hasattr(os, "getuid"):  # Windows: a user's folders are private unless shared
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
