"""What this machine has, a master and settings of Spark → a session of Spark; or one sentence on what is missing.

In: Java 17 or later, which is looked for where Spark looks for it, the extra `spark`, and what the caller sets. Out: a
`SparkSession` in UTC that tries a task again when its worker dies, here too. Executors need this package and what it
stands on in their own Python: whether they have it is asked before the work.
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
from dedup.jit import compute_kernels_digest
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
"""Spark 4 runs on no older one."""
INSTALL_JAVA = (
    "Debian and Ubuntu: apt install openjdk-17-jre-headless; macOS: brew install openjdk@17; "
    "conda: conda install -c conda-forge openjdk=17; or let JAVA_HOME name the folder of one that is there"
)
JAVA_VERSION_PATTERN = re.compile(r'version "(?:1\.)?(\d+)')
"""Java 8 calls itself 1.8."""
JAVA_TIMEOUT_SECONDS = 30
"""Seconds in which Java must have said its version."""
TASK_ATTEMPTS = 4
"""A task is tried so often. On one machine Spark's own default is once, and a worker that is killed ends the run."""
LOCAL_MASTER_PREFIX = re.compile(r"local(?:\[|$)")
LOCAL_MASTER = re.compile(r"local(?:\[(\d+|\*)\])?")
"""A master that is this machine, which does not say how often a task is tried."""
BATCH_ARTICLES, BATCH_BYTES = 4096, 32 << 20
"""A batch that goes from Spark to Python has at most so many rows and about so many bytes."""
SPARK_OVERHEAD_BYTES = 1 << 30
"""Spark itself takes so much memory beside what the articles may take."""
PARTITIONS_PER_CORE = 4
"""On one machine data are parted so often while they are shuffled; a cluster has Spark's own default."""
MAX_MESSAGE_CHARACTERS = 300
PIPE_READ_BYTES = 1 << 12
DRAIN_SECONDS = 0.2
"""Seconds for what Java has said to arrive."""
PACKAGE_ERROR = re.compile(r"^dedup\.errors\.(\w+): (.*)$", re.MULTILINE)
"""How a worker's traceback ends where the error is one of ours."""
ANY_ERROR = re.compile(r"^[\w.]+(?:Error|Exception): .*$", re.MULTILINE)


def detect_java_version(java: str | Path) -> int | None:
    """Return the version of Java that a program is, as 17; None where it does not say."""
    try:
        done = subprocess.run(  # noqa: S603 - it is the very Java that Spark is going to run
            [str(java), "-version"], capture_output=True, text=True, check=False, timeout=JAVA_TIMEOUT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = JAVA_VERSION_PATTERN.search(done.stderr + done.stdout)
    return int(found[1]) if found else None


def find_java() -> Path:
    """Return the Java that Spark is going to run: that of JAVA_HOME, or the first on the path.

    EngineError where there is none, or an older one than Spark can do with.
    """
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home, "bin", "java")) if home else shutil.which("java")
    version = detect_java_version(found) if found else None
    if found and version is not None and version >= OLDEST_JAVA:
        return Path(found)
    where = f"JAVA_HOME names {home}, where there is none" if home else "there is none on the path"
    said = where if version is None else f"{found} is Java {version}"
    raise EngineError(f"Spark needs Java {OLDEST_JAVA} or later, and {said}. {INSTALL_JAVA}")


def start_session(
    settings: Settings | None = None,
    *,
    master: str | None = None,
    conf: Mapping[str, str] | None = None,
    progress: bool = False,
) -> SparkSession:
    """Return a session of Spark: the one that runs already, as it is, or a new one.

    `master` is where the work is done; by default what `spark-defaults.conf` says, or else all cores of this machine.
    `conf` wins over every default of ours. With `progress` Spark draws a bar for each stage on stderr. EngineError where
    Java, Spark or the cluster is missing.
    """
    find_java()
    there = get_running_session()
    if there is not None:
        return there
    given = dict(conf or {})
    master = master or given.pop("spark.master", None) or (None if has_configured_master() else "local[*]")
    from pyspark.sql import SparkSession

    # What it warns of are frames of pandas, which it needs and we never make.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    is_local = master is not None and LOCAL_MASTER_PREFIX.match(master) is not None
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1") if is_local else None
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable) if is_local else None
    wanted = {**get_default_conf(settings or Settings(), is_local=is_local, progress=progress), **given}
    builder = SparkSession.builder.appName("dedup")
    if master:
        builder = builder.master(with_retries(master))
    for name, value in wanted.items():
        builder = builder.config(name, value)
    said = bytearray()
    try:
        with collect_stderr(said):
            session = builder.getOrCreate()
    except Exception as error:
        raise EngineError(
            f"Spark could not be started: {find_java_error(bytes(said)) or get_first_line(error)}"
        ) from error
    if not is_local:
        check_executors(session)
    return session


@contextmanager
def open_session(settings: Settings, **options: Any) -> Iterator[SparkSession]:
    """Give a session as `start_session` does, and end it afterwards if it did not run before."""
    before = get_running_session()
    session = start_session(settings, **options)
    try:
        yield session
    finally:
        if before is None:
            session.stop()


def get_running_session() -> SparkSession | None:
    """Return the session that runs already, if one does."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        return None
    return SparkSession.getActiveSession()


def has_configured_master() -> bool:
    """Return whether the machine's own Spark says where the work is done."""
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
    """Return a master that tries a task again; one that is not this machine, or says how often, as it is.

    >>> with_retries("local[2]"), with_retries("local"), with_retries("yarn")
    ('local[2,4]', 'local[1,4]', 'yarn')
    """
    found = LOCAL_MASTER.fullmatch(master)
    return f"local[{found[1] or 1},{TASK_ATTEMPTS}]" if found else master


def get_default_conf(settings: Settings, *, is_local: bool, progress: bool) -> dict[str, str]:
    """Return how Spark is set where the caller says nothing."""
    always = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": str(progress).lower(),
        "spark.log.level": "FATAL",  # what ends a run is raised, and what does not is tried again
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ARTICLES),
        "spark.sql.execution.arrow.maxBytesPerBatch": str(BATCH_BYTES),
        "spark.python.worker.reuse": "true",  # kernels are loaded once a worker
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
    """Keep in `said` what Java says on stderr while it starts; what it says later goes on to stderr."""
    sys.stderr.flush()
    ready = threading.Event()
    ours, theirs = os.pipe()
    stderr = os.dup(2)

    def read_pipe() -> None:
        while piece := os.read(ours, PIPE_READ_BYTES):
            if ready.is_set():
                os.write(stderr, piece)
            else:
                output.extend(piece)
        os.close(ours)

    listener = threading.Thread(target=read_pipe, name="stderr of Java", daemon=True)
    listener.start()
    os.dup2(theirs, 2)
    os.close(theirs)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        listener.join(DRAIN_SECONDS)  # it ends where Java has ended
        ready.set()


def find_java_error(output: bytes) -> str:
    """Return the line in which Java says why it did not start, or ""."""
    lines = output.decode(errors="replace").splitlines()
    found = [line for line in lines if re.search(r"\b(Error|Exception|Invalid)\b", line)]
    return found[0].strip()[:MAX_MESSAGE_CHARACTERS] if found else ""


def get_first_line(error: BaseException) -> str:
    """Return the first line of what an error says."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:MAX_MESSAGE_CHARACTERS]


def check_executors(session: SparkSession) -> None:
    """Raise EngineError where an executor's Python has no dedup, or another one than this."""
    ours = compute_kernels_digest()

    def report_version(_batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            from dedup.jit import compute_kernels_digest

            answer = "" if compute_kernels_digest() == ours else "another version of dedup"
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
            f"the executors' Python has {answer}; install 'news-dedup[spark]' there as it is here, or send this "
            "environment along: venv-pack -o dedup.tar.gz, then PYSPARK_PYTHON=./dedup/bin/python and "
            "--conf spark.archives=dedup.tar.gz#dedup"
        )


@contextmanager
def convert_spark_errors() -> Iterator[None]:
    """Turn what Spark raises into an error of one sentence; an error of ours that a worker raised, into itself."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        ours = PACKAGE_ERROR.search(str(error))
        if ours:
            raise restore_error(ours[1], ours[2]) from error
        raised = ANY_ERROR.findall(str(error))
        raise EngineError(f"Spark gave up: {raised[-1] if raised else get_first_line(error)}") from error


def restore_error(name: str, message: str) -> DedupError:
    """Return an error of ours, given its name."""
    kinds = {kind.__name__: kind for kind in (EngineError, InputError)}
    return kinds.get(name, DedupError)(message)
