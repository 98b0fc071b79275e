"""The nginx configuration of the how-to, in front of a service."""

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from programs import require
from server_processes import asked, serving

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "service.md"
SAID = "The river Tarn rose two metres overnight and flooded the old mill at Velden Ridge."
KIND = {"content-type": "application/json"}
CONFIGURATION = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi; uwsgi_temp_path {folder}/uwsgi;
    {server}
}}
"""


@contextmanager
def proxied(folder: Path, service: int) -> Iterator[int]:
    """Give the port of nginx in front of a service, configured as the how-to says but for TLS."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (block,) = re.findall(r"```nginx\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    server = re.sub(r"\n *ssl_.*", "", block).replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    file = folder / "nginx.conf"
    file.write_text(CONFIGURATION.format(folder=folder, server=server.replace(":8080", f":{service}")))
    with subprocess.Popen([require("nginx"), "-p", folder, "-c", file]) as running:
        try:
            wait_until_open(port, running)
            yield port
        finally:
            running.terminate()


def wait_until_open(port: int, running: "subprocess.Popen[bytes]") -> None:
    """Wait until somebody listens on a port."""
    while True:
        with socket.socket() as trial:
            if not trial.connect_ex(("127.0.0.1", port)):
                return
        assert running.poll() is None
        time.sleep(0.05)


def test_the_proxy_of_the_how_to_passes_on_what_it_should(tmp_path: Path) -> None:
    name = "https://example.org/a b?c=%2F#1"
    body = json.dumps({"id": name, "text": SAID}).encode()
    bearer = {"authorization": "Bearer secret"}

    with (
        serving(tmp_path, DEDUP_TOKEN="secret") as (_, service),  # noqa: S106 - it opens nothing
        proxied(tmp_path, service) as port,
    ):
        denied = asked(port, "POST", "/articles", body, **KIND)
        posted = asked(port, "POST", "/articles", body, **KIND, **bearer)
        history = asked(port, "GET", f"/articles/{quote(name, safe='')}", b"", **bearer)
        large = asked(port, "POST", "/articles", b" " * (17 << 20), **KIND, **bearer)

    assert [denied[0], posted[0], history[0], large[0]] == [401, 200, 200, 413]
    assert json.loads(history[1])["id"] == name
