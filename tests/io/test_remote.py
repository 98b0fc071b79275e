"""Articles in object stores and on web servers are read, and results written there, as on a disk."""

import gzip
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import called, lines_of, written
from newsmaker import story, version

from dedup import deduplicate
from dedup.errors import InputError, OutputError
from dedup.io import remote
from dedup.io.atomic_write import open_atomic, write_records
from dedup.io.corpus import read_articles

pytest.importorskip("s3fs")
ARTICLES = [
    {key: value for key, value in {"id": name, **article}.items() if key in {"id", "title", "text"}}
    for name, article in (("a", story(1)), ("b", version(1, "cut", 3)), ("c", story(2)))
]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Yield the address of an S3 server of this module's own."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return the file system of an empty bucket, `news`; credentials and address are in the environment."""
    import s3fs

    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    store = s3fs.S3FileSystem()
    if store.exists("news"):
        store.rm("news", recursive=True)
    store.mkdir("news")
    return store


def put(store: Any, path: str, content: bytes) -> None:
    with store.open(path, "wb") as file:
        file.write(content)


def encode_lines(tmp_path: Path) -> bytes:
    return written(tmp_path / "lines.jsonl", ARTICLES).read_bytes()


class Handler(SimpleHTTPRequestHandler):
    """Serves the files of a folder, each from its beginning only; says nothing."""

    def log_message(self, *_arguments: Any) -> None: ...


@pytest.fixture
def website(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the address of a web server, and the folder that it serves."""
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


def test_a_corpus_in_a_bucket_gives_the_clusters_of_a_local_one(bucket: Any, tmp_path: Path) -> None:
    content = encode_lines(tmp_path)
    put(bucket, "news/day/1.jsonl.gz", gzip.compress(content))
    expected = called("cluster", tmp_path / "lines.jsonl")

    answer = called("cluster", "s3://news/day/", "-o", "s3://news/stories.jsonl")

    assert answer.exit_code == 0, answer.stderr
    assert bucket.cat_file("news/stories.jsonl") == expected.stdout_bytes != b""


@pytest.mark.parametrize(
    "name", ["kept.jsonl", "kept.csv", "kept.parquet", "kept.jsonl.gz", "kept.jsonl.zst"]
)
def test_every_format_goes_to_a_bucket_and_comes_from_it(name: str, bucket: Any, tmp_path: Path) -> None:
    corpus = tmp_path / "lines.jsonl"
    encode_lines(tmp_path)

    answer = called("filter", corpus, "-o", f"s3://news/{name}")

    assert answer.exit_code == 0, answer.stderr
    ids = [id_ for batch in read_articles(f"s3://news/{name}") for id_ in batch["id"].to_pylist()]
    assert ids == ["a", "c"]


def test_a_folder_is_read_in_order_without_hidden_and_unknown_files(bucket: Any, tmp_path: Path) -> None:
    line = encode_lines(tmp_path).splitlines()
    for name, content in {
        "b.jsonl": line[1],
        "a/z.jsonl": line[0],
        ".hidden.jsonl": line[2],
        "notes.md": b"#",
    }.items():
        put(bucket, f"news/day/{name}", content)

    corpus = read_articles("s3://news/day")

    assert [id_ for batch in corpus for id_ in batch["id"].to_pylist()] == ["a", "b"]
    assert corpus.file_count == 2
    assert corpus.total_bytes == len(line[0]) + len(line[1])


def test_an_article_without_an_id_is_named_after_its_place_in_the_folder(bucket: Any) -> None:
    put(bucket, "news/day/x.txt", b"Nobody was hurt when the old mill at Velden Ridge burned down.")

    assert [batch["id"].to_pylist() for batch in read_articles("s3://news/day/")] == [["x.txt"]]


def test_an_output_that_breaks_off_leaves_what_was_there(bucket: Any) -> None:
    put(bucket, "news/kept.jsonl", b"before")

    def write_half() -> None:
        with open_atomic("s3://news/kept.jsonl") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()

    assert bucket.ls("news", refresh=True) == ["news/kept.jsonl"]
    assert bucket.cat_file("news/kept.jsonl") == b"before"


def test_an_output_in_the_folder_of_the_corpus_is_refused(bucket: Any, tmp_path: Path) -> None:
    put(bucket, "news/day/1.jsonl", encode_lines(tmp_path))

    inside = called("filter", "s3://news/day/", "-o", "s3://news/day/kept.jsonl")
    itself = called("filter", "s3://news/day/1.jsonl", "-o", "s3://news/day/1.jsonl")

    assert (inside.exit_code, itself.exit_code) == (1, 1)
    assert "because it is in the corpus folder s3://news/day/" in inside.stderr
    assert "it is one of the files that are read" in itself.stderr


def test_rejects_lie_beside_a_remote_output(bucket: Any, tmp_path: Path) -> None:
    put(bucket, "news/day/1.jsonl", encode_lines(tmp_path) + b"broken\n")

    called("cluster", "s3://news/day/1.jsonl", "-o", "s3://news/out.jsonl", "--max-rejects", "50%")

    (reject,) = lines_of(bucket.cat_file("news/out.jsonl.rejects.jsonl"))
    assert reject["file"] == "s3://news/day/1.jsonl"


def test_a_file_that_changes_between_two_passes_is_noticed(bucket: Any, tmp_path: Path) -> None:
    put(bucket, "news/1.jsonl", encode_lines(tmp_path))
    corpus = read_articles("s3://news/1.jsonl")
    list(corpus)
    put(bucket, "news/1.jsonl", encode_lines(tmp_path)[::-1])

    with pytest.raises(InputError, match="was changed while it was being read"):
        list(corpus.read_again())


@pytest.mark.parametrize("url", ["s3://news/none.jsonl", "s3://news/none/", "s3://nowhere/1.jsonl"])
def test_a_place_that_is_not_there_is_one_sentence(url: str, bucket: Any) -> None:
    answer = called("cluster", url)

    assert answer.exit_code == 1
    assert answer.stderr == f"Error: there is no file or folder {url}\n"


def test_a_bucket_that_is_not_there_is_noticed_before_the_work(bucket: Any, newsroom: Path) -> None:
    answer = called("cluster", newsroom, "-o", "s3://nowhere/out.jsonl")

    assert answer.exit_code == 1
    assert answer.stderr.startswith("Error: cannot write s3://nowhere/out.jsonl: there is no nowhere")


def test_a_web_server_is_read_from_the_beginning_of_its_files(
    website: tuple[str, Path], tmp_path: Path
) -> None:
    address, folder = website
    (folder / "news.jsonl.gz").write_bytes(gzip.compress(encode_lines(tmp_path)))
    pq.write_table(pa.Table.from_pylist(ARTICLES), folder / "news.parquet")

    lines = called("filter", f"{address}/news.jsonl.gz?signature=1").stdout
    table = called("filter", f"{address}/news.parquet").stdout

    assert [article["id"] for article in lines_of(lines)] == ["a", "c"]
    assert [article["id"] for article in lines_of(table)] == ["a", "c"]


def test_python_reads_a_url_as_well(website: tuple[str, Path], tmp_path: Path) -> None:
    address, folder = website
    (folder / "news.jsonl").write_bytes(encode_lines(tmp_path))

    assert deduplicate(f"{address}/news.jsonl").kept == ["a", "c"]
    with pytest.raises(InputError, match="there is no file or folder http"):
        deduplicate(f"{address}/none.jsonl")


def test_a_web_server_takes_no_output(newsroom: Path) -> None:
    answer = called("cluster", newsroom, "-o", "https://example.org/out.jsonl")

    assert answer.exit_code == 1
    assert "a web server takes no files" in answer.stderr


def test_credentials_in_a_url_are_refused_and_not_shown() -> None:
    answer = called("cluster", "https://ann:hunter2@example.org/news.jsonl")

    assert answer.exit_code == 1
    assert "hunter2" not in answer.stderr
    assert "set them in the environment" in answer.stderr


@pytest.mark.parametrize(
    ("scheme", "package"),
    [("s3", "s3fs"), ("gs", "gcsfs"), ("az", "adlfs"), ("hf", "huggingface_hub"), ("https", "aiohttp")],
)
def test_a_missing_package_is_one_sentence(
    scheme: str, package: str, monkeypatch: pytest.MonkeyPatch, newsroom: Path
) -> None:
    def fail(url: str) -> None:
        raise ImportError(url)

    monkeypatch.setattr("fsspec.core.url_to_fs", fail)

    answer = called("cluster", f"{scheme}://news/1.jsonl")

    assert answer.exit_code == 1
    assert (
        answer.stderr == f"Error: {scheme}:// needs the package {package}: pip install 'news-dedup[cloud]'\n"
    )


class BrokenFile:
    """A file of a library that fails in a way of its own."""

    def read(self, _size: int) -> bytes:
        raise RuntimeError("connection\nreset")

    def close(self) -> None: ...


def test_a_failure_of_a_library_is_an_error_of_the_file() -> None:
    with pytest.raises(OSError, match=r"^connection reset$"):
        remote.RemoteFile(BrokenFile).read(10)


class FullStore:
    """A store that takes no more."""

    def exists(self, _path: str) -> bool:
        return True

    def put_file(self, _local: str, _path: str) -> None:
        raise RuntimeError("full")


def test_an_upload_that_fails_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "find_file_system", lambda *_: (FullStore(), "news/out.jsonl"))

    with pytest.raises(OutputError, match=r"^cannot write s3://news/out.jsonl: full$"):
        write_records("s3://news/out.jsonl", [{"id": "a"}])
