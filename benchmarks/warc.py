"""A web archive of invented pages: time and peak memory of reading it, `python -m benchmarks.warc --folder FOLDER`.

The archive has the given size before compression. Its pages are invented news with scripts, menus and footers around it,
as on the sites of newspapers; every tenth page has no article, and every twentieth is a copy of an earlier one. It is made
where it is missing, and `dedup filter` reads it.
"""

import argparse
import gzip
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import IO

from benchmarks.speed import measure_command

MAX_MEMORY = 1e9
"""Bytes; reading an archive of any size takes less."""
SYLLABLES = (
    "ba",
    "dric",
    "fen",
    "gate",
    "holm",
    "ik",
    "low",
    "mere",
    "nock",
    "ova",
    "pool",
    "rand",
    "sund",
    "tam",
    "wick",
    "zell",
)
PARAGRAPHS, SENTENCES, WORDS = 14, 4, 16
SCRIPT_WORDS, MENU_ITEMS = 1500, 80
EMPTY_EVERY, COPY_EVERY, COPY_OF = 10, 20, 7


def make_words(random: Random, count: int) -> list[str]:
    """Return words of random syllables."""
    return ["".join(random.choices(SYLLABLES, k=random.randint(1, 3))) for _ in range(count)]


def make_page(number: int) -> str:
    """Return the page of a number, which decides all that is in it."""
    if number % COPY_EVERY == 0 and number:
        number -= COPY_OF
    random = Random(number)
    paragraphs = (
        " ".join(" ".join(make_words(random, WORDS)).capitalize() + "." for _ in range(SENTENCES))
        for _ in range(PARAGRAPHS)
    )
    title = " ".join(make_words(random, 7)).capitalize()
    body = "" if number % EMPTY_EVERY == 1 else "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    menu = "".join(
        f'<li><a href="/{n}">{word}</a></li>' for n, word in enumerate(make_words(random, MENU_ITEMS))
    )
    script = ";".join(f"var {word}=1" for word in make_words(random, SCRIPT_WORDS))
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>{title}</title><meta property="og:site_name" content="Norwire">'
        f'<meta property="article:published_time" content="2024-05-{number % 28 + 1:02}T09:30:00Z"><script>{script}'
        f"</script></head><body><nav><ul>{menu}</ul></nav><main><article><h1>{title}</h1>{body}</article></main>"
        f"<footer><ul>{menu}</ul><p>Copyright Norwire.</p></footer></body></html>"
    )


def make_records(size: int) -> Iterator[bytes]:
    """Yield the records of an archive until they have a size in bytes."""
    written = number = 0
    while written < size:
        page = make_page(number).encode()
        response = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page
        record = (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{uuid.UUID(int=number)}>\r\n"
            f"WARC-Date: 2024-06-01T00:00:00Z\r\nWARC-Target-URI: https://norwire.example/{number}\r\n"
            f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(response)}\r\n\r\n"
        ).encode() + response
        yield record + b"\r\n\r\n"
        written += len(record) + 4
        number += 1


def write_archive(path: Path, size: int) -> None:
    """Write an archive, compressed by record where its name ends in .gz."""
    with path.open("wb") as file:
        for record in make_records(size):
            write_record(file, record, compress=path.suffix == ".gz")


def write_record(file: IO[bytes], record: bytes, *, compress: bool) -> None:
    """Write a record, as a member of its own where it is compressed."""
    file.write(gzip.compress(record, 1) if compress else record)


def main() -> int:
    """Print the table; return 1 if reading takes more memory than it may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--gzip", action="store_true")
    options = parser.parse_args()
    path = options.folder / f"{options.megabytes}.warc{'.gz' if options.gzip else ''}"
    if not path.exists():
        write_archive(path, options.megabytes << 20)
    kept = options.folder / "kept.jsonl"
    command = [
        sys.executable,
        "-m",
        "dedup",
        "filter",
        str(path),
        "-o",
        str(kept),
        "--max-rejects",
        "100%",
        "--quiet",
    ]
    seconds, memory, work = measure_command(command)
    with kept.open("rb") as lines:
        articles = sum(1 for _ in lines)
    print(f"{'MB':>7} {'kept':>8} {'seconds':>8} {'of CPU':>8} {'peak, MB':>9}")
    print(f"{path.stat().st_size / 1e6:7,.0f} {articles:8,} {seconds:8.1f} {work:8.1f} {memory / 1e6:9,.0f}")
    return int(memory > MAX_MEMORY)


if __name__ == "__main__":
    sys.exit(main())
