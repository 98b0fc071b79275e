"""A named pipe, a socket or a device never holds up a run."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from corpora import FORMATS, STORIES, ids, jsonl, lines

from dedup.errors import InputError
from dedup.io.corpus import read_articles
from dedup.io.discovery import find_input_files

READ_FOLDER = """
import sys
from dedup.io.corpus import read_articles
corpus = read_articles(sys.argv[1])
print([row["id"] for batch in corpus for row in batch.to_pylist()], dict(corpus.warnings))
"""


def write_later(path: Path, data: bytes) -> threading.Thread:
    """Start a thread that writes to a named pipe once somebody reads it."""
    writer = threading.Thread(target=path.write_bytes, args=(data,), daemon=True)
    writer.start()
    return writer


def test_special_files_in_a_folder_are_skipped_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    os.mkfifo(tmp_path / "b.jsonl")
    (tmp_path / "c.jsonl").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "d.jsonl"))

        done = subprocess.run(
            [sys.executable, "-c", READ_FOLDER, tmp_path],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    warning = f"named pipes, sockets or devices in a folder, which were skipped, such as the named pipe {tmp_path}/b.jsonl"
    assert done.stdout == f"['a.txt'] { ({warning: 3})!r}\n"


def test_a_link_to_a_file_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "news").mkdir()
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "news" / "b.txt").symlink_to(tmp_path / "a.txt")

    assert ids(read_articles(tmp_path / "news")) == ["b.txt"]


@pytest.mark.parametrize("name", ["news", "news.jsonl", "news.csv", "news.json", "news.parquet"])
def test_a_named_pipe_is_read_as_a_stream_and_can_be_read_again(tmp_path: Path, name: str) -> None:
    pipe = tmp_path / name
    os.mkfifo(pipe)
    corpus = read_articles(pipe)
    writer = write_later(pipe, FORMATS[pipe.suffix[1:] or "jsonl"](STORIES))

    found = ids(corpus)

    writer.join(10)
    assert found == ["a", "b", "c", "d"]
    assert len(lines(corpus)) == 4
    assert ids(corpus) == found
    assert corpus.total_bytes is None


def test_a_named_pipe_is_refused_by_whoever_must_read_it_twice(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "news.jsonl")

    with pytest.raises(InputError, match=r"news\.jsonl is a named pipe, .*; write it to a file first"):
        find_input_files([tmp_path / "news.jsonl"])


def test_a_device_or_a_socket_is_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "d.jsonl"))

        with pytest.raises(InputError, match=r"d\.jsonl is a socket, which cannot be read"):
            read_articles(tmp_path / "d.jsonl")
    with pytest.raises(InputError, match=r"/dev/zero is a device, which cannot be read"):
        read_articles("/dev/zero")


def test_a_pipe_of_several_chunks_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.io.file_bytes.CHUNK_BYTES", 1000)
    os.mkfifo(tmp_path / "news")
    corpus = read_articles(tmp_path / "news")
    writer = write_later(tmp_path / "news", jsonl(*[{"id": str(n), "text": "x" * 100} for n in range(500)]))

    assert ids(corpus) == [str(n) for n in range(500)]
    writer.join(10)
