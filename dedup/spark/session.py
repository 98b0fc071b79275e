"""Start a Spark session, or raise one sentence about what is missing.

Spark needs Java 17 or later, which is searched for where Spark looks for it, and the extra "spark". The
session is in UTC and retries a task whose worker died, on a single machine too. Executors need this package
and its dependencies in their Python; this is checked before the work.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dedup.errors import DedupError, EngineError, InputError
from dedup.jit.digest import compute_kernels_digest
from dedup.settings.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = [
    "OLDEST_JAVA",
    "convert_spark_errors",
    "detect_java_version",
    "find_java",
    "open_session",
    "start_session",
]

OLDEST_JAVA = 17
"""The oldest version of Java that Spark 4 supports."""
INSTALL_JAVA = (
    "Debian and Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17; "
    "conda: conda install -c conda-forge openjdk=17; or let JAVA_HOME name the folder of one that is there"
)
JAVA_VERSION_PATTERN = re.compile(r'version "(?:1\.)?(\d+)')
"""Java 8 reports its version as 1.8."""
JAVA_TIMEOUT_SECONDS = 30
"""Seconds within which Java must report its version."""
TASK_ATTEMPTS = 4
"""The most attempts of a task. On one machine, Spark's default is 1, so a killed worker would end the run."""
LOCAL_MASTER_PREFIX = re.compile(r"local(?:\[|$)")
LOCAL_MASTER = re.compile(r"local(?:\[(\d+|\*)\])?")
"""A master on this machine without a number of attempts."""
BATCH_ARTICLES, BATCH_BYTES = 4096, 32 << 20
"""The most rows, and approximately the most bytes, of a batch from Spark to Python."""
SPARK_OVERHEAD_BYTES = 1 << 30
"""Memory of Spark itself, in addition to the memory setting."""
PARTITIONS_PER_CORE = 4
"""Shuffle partitions per core on one machine; a cluster uses Spark's default."""
MAX_MESSAGE_CHARACTERS = 300
PIPE_READ_BYTES = 1 << 12
DRAIN_SECONDS = 0.2
"""Seconds to wait for the last output of Java."""
PACKAGE_ERROR = re.compile(r"^dedup\.errors\.(\w+): (.*)$", re.MULTILINE)
"""The end of a worker's traceback if the error is one of this package."""
ANY_ERROR = re.compile(r"^[\w.]+(?:Error|Exception): .*$", re.MULTILINE)


def detect_java_version(java: str | Path) -> int | None:
    """Return the major version of a Java program, such as 17; None if it does not report one."""
    try:
        process = subprocess.run(  # noqa: S603 - the same Java that Spark will run
            [str(java), "-version"], capture_output=True, text=True, check=False, timeout=JAVA_TIMEOUT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = JAVA_VERSION_PATTERN.search(process.stderr + process.stdout)
    return int(match[1]) if match else None


def find_java() -> Path:
    """Return the Java that Spark will run: that of JAVA_HOME, or the first on the path.

    Raise `EngineError` if there is none, or if it is too old for Spark.
    """
    home = os.environ.get("JAVA_HOME")
    path = str(Path(home, "bin", "java")) if home else shutil.which("java")
    version = detect_java_version(path) if path else None
    if path and version is not None and version >= OLDEST_JAVA:
        return Path(path)
    missing = f"JAVA_HOME names {home}, where there is none" if home else "there is none on the path"
    problem = missing if version is None else f"{path} is Java {version}"
    raise EngineError(f"Spark needs Java {OLDEST_JAVA} or later, and {problem}. {INSTALL_JAVA}")


def start_session(
    settings: Settings | None = None,
    *,
    master: str | None = None,
    conf: Mapping[str, str] | None = None,
    progress: bool = False,
) -> SparkSession:
    """Return the running Spark session unchanged, or a new one.

    `master` is the Spark master; the default is that of `spark-defaults.conf`, or else all cores of this
    machine. `conf` overrides our defaults. With `progress`, Spark shows a bar for each stage on stderr. Raise
    `EngineError` if Java, Spark or the cluster is missing.
    """
    find_java()
    running_session = get_running_session()
    if running_session is not None:
        return running_session
    own_conf = dict(conf or {})
    master = master or own_conf.pop("spark.master", None) or (None if has_configured_master() else "local[*]")
    from pyspark.sql import SparkSession

    # The warning is about pandas data frames, which PySpark needs and this package never makes.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    is_local = master is not None and LOCAL_MASTER_PREFIX.match(master) is not None
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1") if is_local else None
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable) if is_local else None
    options = {**get_default_conf(settings or Settings(), is_local=is_local, progress=progress), **own_conf}
    builder = SparkSession.builder.appName("dedup")
    if master:
        builder = builder.master(with_retries(master))
    for name, value in options.items():
        builder = builder.config(name, value)
    output = bytearray()
    try:
        with collect_stderr(output):
            session = builder.getOrCreate()
    except Exception as error:
        raise EngineError(
            f"Spark could not be started: {find_java_error(bytes(output)) or get_first_line(error)}"
        ) from error
    if not is_local:
        check_executors(session)
    return session


@contextmanager
def open_session(settings: Settings, **options: Any) -> Iterator[SparkSession]:
    """Yield a session as from `start_session`, and stop it afterwards unless it was running before."""
    before = get_running_session()
    session = start_session(settings, **options)
    try:
        yield session
    finally:
        if before is None:
            session.stop()


def get_running_session() -> SparkSession | None:
    """Return the running session, or None."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        return None
    return SparkSession.getActiveSession()


def has_configured_master() -> bool:
    """Return whether the Spark configuration of this machine names a master."""
    home = os.environ.get("SPARK_HOME")
    folders = [os.environ.get("SPARK_CONF_DIR"), home and f"{home}/conf"]
    files = [Path(folder, "spark-defaults.conf") for folder in folders if folder]
    return any(
        re.split(r"[\s=:]", line.strip(), maxsplit=1)[0] == "spark.master"
        for file in files
        if file.is_file()
        for line in file.read_text("utf-8").splitlines()
    )


def with_retries(master: str) -> str:
    """Return a local master with retries; other masters, and those with a number of attempts, are unchanged.

    >>> with_retries("local[2]"), with_retries("local"), with_retries("yarn")
    ('local[2,4]', 'local[1,4]', 'yarn')
    """
    match = LOCAL_MASTER.fullmatch(master)
    return f"local[{match[1] or 1},{TASK_ATTEMPTS}]" if match else master


def get_default_conf(settings: Settings, *, is_local: bool, progress: bool) -> dict[str, str]:
    """Return the default configuration of Spark."""
    always = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": str(progress).lower(),
        "spark.log.level": "FATAL",  # fatal errors are raised, and other failures are retried
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ARTICLES),
        "spark.sql.execution.arrow.maxBytesPerBatch": str(BATCH_BYTES),
        "spark.python.worker.reuse": "true",  # kernels are loaded once per worker
        "spark.driver.memory": f"{(settings.memory + SPARK_OVERHEAD_BYTES) >> 20}m",
    }
    if not is_local:
        return always
    package = str(Path(__file__).parents[2])
    return {
        **always,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": str(PARTITIONS_PER_CORE * (os.cpu_count() or 1)),
        "spark.executorEnv.PYTHONPATH": os.pathsep.join(
            filter(None, [package, os.environ.get("PYTHONPATH")])
        ),
        **({"spark.local.dir": settings.work_dir} if settings.work_dir else {}),
    }


@contextmanager
def collect_stderr(output: bytearray) -> Iterator[None]:
    """Collect in `output` what Java prints on stderr while it starts; later output goes to stderr."""
    sys.stderr.flush()
    ready = threading.Event()
    read_end, write_end = os.pipe()
    stderr = os.dup(2)

    def read_pipe() -> None:
        while piece := os.read(read_end, PIPE_READ_BYTES):
            if ready.is_set():
                os.write(stderr, piece)
            else:
                output.extend(piece)
        os.close(read_end)

    listener = threading.Thread(target=read_pipe, name="stderr of Java", daemon=True)
    listener.start()
    os.dup2(write_end, 2)
    os.close(write_end)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        listener.join(DRAIN_SECONDS)  # it ends if Java has ended
        ready.set()


def find_java_error(output: bytes) -> str:
    """Return the line in which Java reports why it did not start; empty if there is none."""
    lines = output.decode(errors="replace").splitlines()
    matching_lines = [line for line in lines if re.search(r"\b(Error|Exception|Invalid)\b", line)]
    return matching_lines[0].strip()[:MAX_MESSAGE_CHARACTERS] if matching_lines else ""


def get_first_line(error: BaseException) -> str:
    """Return the first line of an error message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:MAX_MESSAGE_CHARACTERS]


def check_executors(session: SparkSession) -> None:
    """Raise `EngineError` if the executors' Python has no dedup, or another version of it."""
    digest = compute_kernels_digest()

    def report_version(_batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            from dedup.jit.digest import compute_kernels_digest

            answer = "" if compute_kernels_digest() == digest else "another version of dedup"
        except ImportError as error:
            answer = f"no dedup ({error})"
        yield pa.RecordBatch.from_pydict({"answer": [answer]})

    try:
        with convert_spark_errors():
            rows = session.range(1).mapInArrow(report_version, "answer string").collect()
        answer = str(rows[0]["answer"])
    except EngineError as error:
        answer = f"not what it needs ({str(error).partition(': ')[2]})"
    if answer:
        raise EngineError(
            f"the executors' Python has {answer}; install 'news-dedup[spark]' there, in the same version, or send this "
            "environment along: venv-pack -o dedup.tar.gz, then PYSPARK_PYTHON=./dedup/bin/python and "
            "--conf spark.archives=dedup.tar.gz#dedup"
        )


@contextmanager
def convert_spark_errors() -> Iterator[None]:
    """Convert an error of Spark to an `EngineError` of one sentence; errors of this package from workers are restored."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        package_error = PACKAGE_ERROR.search(str(error))
        if package_error:
            raise restore_error(package_error[1], package_error[2]) from error
        messages = ANY_ERROR.findall(str(error))
        raise EngineError(f"Spark gave up: {messages[-1] if messages else get_first_line(error)}") from error


def restore_error(name: str, message: str) -> DedupError:
    """Return an error of this package, given its class name and message."""
    kinds = {kind.__name__: kind for kind in (EngineError, InputError)}
    return kinds.get(name, DedupError)(message)
