"""Load and attacks on a running `dedup serve`: latency of /healthz, peak memory, seconds to end, size of the log.

Run `python -m benchmarks.service`, or name scenarios: `python -m benchmarks.service idle chunks`. Each starts a service over an
empty index in a temporary folder, with the usual 1,024 open files. Another
process makes the load, so as not to slow the probe.
"""

import argparse
import asyncio
import json
import multiprocessing
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from typing import Any

import psutil
from wordfreq import top_n_list

OPEN_FILES = 1024
PROBE_EVERY = 0.05
PROBE_TIMEOUT = 10
BODY_BYTES = 16_000_000
HEAD = "POST /articles HTTP/1.1\r\nHost: x\r\nContent-Type: {}\r\n{}\r\n\r\n"
JSON, LINES = "application/json", "application/x-ndjson"
Load = Callable[[int, float], Coroutine[Any, Any, None]]


@dataclass
class Service:
    """A running service and what was measured on it."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    latencies: list[float] = field(default_factory=list)
    failures: int = 0
    memory: list[int] = field(default_factory=list)

    def watch(self, until: threading.Event) -> None:
        """Probe /healthz and note the memory until told to stop."""
        watched = psutil.Process(self.process.pid)
        while not until.wait(PROBE_EVERY):
            self.memory.append(watched.memory_info().rss)
            started = time.perf_counter()
            try:
                status, _ = request(self.port, "GET", "/healthz", timeout=PROBE_TIMEOUT)
                self.failures += status != 200
            except (OSError, HTTPException):
                self.failures += 1
            self.latencies.append(time.perf_counter() - started)

    def end(self) -> float:
        """Send SIGTERM and return the seconds until the process has ended."""
        started = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
        return time.perf_counter() - started


def request(
    port: int, method: str, path: str, body: bytes = b"", *, timeout: float = 60
) -> tuple[int, bytes]:
    """Return the status and the body of a reply on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, body, {"Content-Type": JSON} if body else {})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


@contextmanager
def start_service() -> Iterator[Service]:
    """Start a service over an empty index; end it if it still runs."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = [
            sys.executable,
            "-m",
            "dedup",
            "serve",
            "--index",
            str(Path(folder) / "seen.db"),
            "--port",
            "0",
        ]
        with log.open("wb") as stderr:
            process = subprocess.Popen(command, stderr=stderr)
        limit_open_files(process.pid)
        try:
            yield Service(process, read_port(log, process), log)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def limit_open_files(process: int) -> None:
    """Give a process the soft limit of open files that most systems give."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.prlimit(process, resource.RLIMIT_NOFILE, (OPEN_FILES, hard))


def read_port(log: Path, process: "subprocess.Popen[bytes]") -> int:
    """Return the port that a service says it listens on."""
    while not (found := re.search(r"^serving .*:(\d+)$", log.read_text(), re.MULTILINE)):
        if process.poll() is not None:
            raise SystemExit(log.read_text())
        time.sleep(0.1)
    return int(found[1])


async def open_idle(port: int, seconds: float) -> None:
    """Hold 1,100 connections that never send a whole request head."""
    await asyncio.gather(*(drip(port, b"GET /healthz HTTP/1.1\r\nHost:", b"", seconds) for _ in range(1100)))


async def send_slow_bodies(port: int, seconds: float) -> None:
    """Hold 1,000 requests whose bodies arrive a byte a second."""
    head = HEAD.format(JSON, "Content-Length: 1000").encode()
    await asyncio.gather(*(drip(port, head, b" ", seconds) for _ in range(1000)))


async def send_endless_chunks(port: int, seconds: float) -> None:
    """Send chunks of one byte without end on 8 connections."""
    head = HEAD.format(JSON, "Transfer-Encoding: chunked").encode()
    await asyncio.gather(*(flood(port, head, b"1\r\n \r\n" * 8192, seconds) for _ in range(8)))


async def ignore_replies(port: int, seconds: float) -> None:
    """Send 32 requests of 5,000 articles each and never read the replies."""
    body = b"".join(b'{"id":"%d","text":"a b"}\n' % n for n in range(5000))
    message = HEAD.format(LINES, f"Content-Length: {len(body)}").encode() + body
    await asyncio.gather(*(drip(port, message, b"", seconds) for _ in range(32)))


async def send_hostile_bodies(port: int, seconds: float) -> None:
    """Send 8 bodies of 16 MB at once, each of which is costly to parse or to compare."""
    await asyncio.gather(*(flood_once(port, *body, seconds) for body in hostile_bodies()))


def hostile_bodies() -> list[tuple[bytes, str]]:
    """Return two bodies each of: empty objects, junk in one article, long articles, articles of many values."""
    words = " ".join(Random(1).choices(top_n_list("en", 20_000), k=BODY_BYTES // 8))
    long = [{"id": str(n), "text": words[n * 9000 : n * 9000 + 3000]} for n in range(4800)]
    filler = json.dumps([{}] * 300).replace(" ", "").encode()
    wide = b",".join(b'{"id":"w%d","text":"a","x":%b}' % (n, filler) for n in range(BODY_BYTES // 940))
    return 2 * [
        (b"[" + b"{}," * (BODY_BYTES // 3) + b"{}]", JSON),
        (b'{"text":"a","x":[' + b'{"":0},' * (BODY_BYTES // 7) + b"0]}", JSON),
        (b"\n".join(json.dumps(article).encode() for article in long), LINES),
        (b"[" + wide[: wide.rindex(b',{"id"')] + b"]", JSON),
    ]


async def drip(port: int, first: bytes, then: bytes, seconds: float) -> None:
    """Send something, then a little more each second, and read nothing."""
    until = time.monotonic() + seconds
    with suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(first)
        while time.monotonic() < until and not writer.is_closing():
            writer.write(then)
            await asyncio.sleep(1)
        writer.transport.abort()


async def flood(port: int, head: bytes, piece: bytes, seconds: float) -> None:
    """Send a piece over and over as fast as it is taken; begin again where the connection is closed."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head)
            while time.monotonic() < until:
                writer.write(piece)
                await writer.drain()
        await asyncio.sleep(0.01)


async def flood_once(port: int, body: bytes, kind: str, seconds: float) -> None:
    """Send one body again and again until the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD.format(kind, f"Content-Length: {len(body)}\r\nConnection: close").encode())
            writer.write(body)
            await reader.read()
            writer.transport.abort()
        await asyncio.sleep(0.01)


async def post_articles(port: int, seconds: float, connections: int = 8, distinct: int = 1 << 30) -> None:
    """Post one article a request on some connections; print the rate and the latency."""
    latencies: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(
        *(post_in_turn(port, number, started + seconds, latencies, distinct) for number in range(connections))
    )
    rate = len(latencies) / (time.perf_counter() - started)
    print(f"  {connections} connections, one article a request: {rate:.0f} a second, {quantiles(latencies)}")


async def soak(port: int, seconds: float) -> None:
    """Post the same 1,600 articles over and over on 32 connections, so that the index does not grow."""
    await post_articles(port, seconds, connections=32, distinct=50)


async def post_in_turn(port: int, number: int, until: float, latencies: list[float], distinct: int) -> None:
    """Post articles one after the other on a connection that is kept."""
    words, count = top_n_list("en", 20_000), 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        name = f"{number} {count % distinct}"
        count += 1
        text = " ".join(Random(name).choices(words, k=300))
        body = json.dumps({"id": name, "title": text[:60], "text": text}).encode()
        started = time.perf_counter()
        writer.write(HEAD.format(JSON, f"Content-Length: {len(body)}").encode() + body)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        latencies.append(time.perf_counter() - started)
    writer.close()


def quantiles(latencies: list[float]) -> str:
    """Return the median, the 99th percentile and the maximum of some seconds, as milliseconds."""
    cuts = statistics.quantiles(latencies, n=100)
    return f"p50 {1e3 * cuts[49]:.0f} ms, p99 {1e3 * cuts[98]:.0f} ms, max {1e3 * max(latencies):.0f} ms"


SCENARIOS: dict[str, Load] = {
    "articles": post_articles,
    "idle": open_idle,
    "slow": send_slow_bodies,
    "hostile": send_hostile_bodies,
    "chunks": send_endless_chunks,
    "unread": ignore_replies,
    "soak": soak,
}


def apply_load(name: str, port: int, seconds: float) -> None:
    """Run a scenario in a process of its own."""
    asyncio.run(SCENARIOS[name](port, seconds))


def measure(name: str, seconds: float) -> None:
    """Print the figures of a scenario; SIGTERM is sent while the load is still on."""
    with start_service() as service:
        until = threading.Event()
        load = multiprocessing.get_context("spawn").Process(
            target=apply_load, args=(name, service.port, seconds)
        )
        watching = threading.Thread(target=service.watch, args=(until,))
        print(name, flush=True)
        load.start()
        watching.start()
        load.join(seconds - 1 if name not in {"articles", "soak"} else None)
        until.set()
        watching.join()
        ended = service.end()
        load.join()
        memory = service.memory
        quarter = len(memory) // 4
        print(
            f"  /healthz {quantiles(service.latencies)}, {service.failures} of {len(service.latencies)} failed\n"
            f"  memory {max(memory) >> 20:,} MiB at most ({statistics.median(memory[quarter : 2 * quarter]) / 2**20:,.0f} then "
            f"{statistics.median(memory[-quarter:]) / 2**20:,.0f}), SIGTERM {ended:.1f} s, "
            f"log {service.log.stat().st_size:,} bytes",
            flush=True,
        )


def main() -> None:
    """Measure the scenarios that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], help="default: all")
    parser.add_argument("--seconds", type=float, default=20, help="of load in each scenario")
    asked = parser.parse_args()
    for name in asked.scenarios or SCENARIOS:
        measure(name, asked.seconds)


if __name__ == "__main__":
    main()
