"""A DICOM archive for the length of a test: Orthanc on this machine alone, on ports that are free."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.programs import require

_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_START_S = 60.0
"""Longer than a busy machine takes."""


@dataclass(frozen=True)
class Archive:
    """A running archive."""

    http_port: int
    dicom_port: int

    def get(self, path: str, accept: str = "application/json") -> bytes:
        """What lies at a path below its address."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.http_port}/{path}", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def post(self, path: str, content: bytes | str, method: str = "POST") -> bytes:
        """What is answered to something that is handed over."""
        data = content.encode() if isinstance(content, str) else content
        url = f"http://127.0.0.1:{self.http_port}/{path}"
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method), timeout=60) as answer:
            return answer.read()

    def stow(self, contents: list[bytes]) -> dict[str, object]:
        """Hand objects over by the web."""
        parts = [b"--part\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n" for content in contents]
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}/dicom-web/studies",
            data=b"".join(parts) + b"--part--",
            headers={
                "Content-Type": 'multipart/related; type="application/dicom"; boundary=part',
                "Accept": "application/dicom+json",
            },
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def files(self) -> list[bytes]:
        """All objects that it holds, each as a file."""
        return [self.get(f"instances/{name}/file", "*/*") for name in json.loads(self.get("instances"))]

    def retrieved(self, study: str) -> list[bytes]:
        """The objects of a study, as the web hands them out."""
        accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http_port}/dicom-web/studies/{study}", headers={"Accept": accept}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            boundary, content = answer.headers.get_boundary(), answer.read()
        # Not by a parser of mail, which takes pixels for lines of text.
        parts = content.split(b"--" + boundary.encode())[1:-1]
        return [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts]


@contextmanager
def archive(folder: Path) -> Iterator[Archive]:
    """Start an archive that keeps its objects in a folder, and stop it in the end; without one the test is skipped."""
    program = require("Orthanc")
    if not _PLUGIN.exists():
        pytest.skip("orthanc-dicomweb is not installed: make system-packages")
    running = Archive(*_free_ports())
    folder.mkdir(parents=True)
    settings = {
        "StorageDirectory": str(folder / "objects"),
        "IndexDirectory": str(folder / "index"),
        "HttpPort": running.http_port,
        "DicomPort": running.dicom_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomCheckCalledAet": False,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowGet": True,
        "Plugins": [str(_PLUGIN)],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        _wait(running, process, folder / "log")
        yield running
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _wait(running: Archive, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            running.get("system")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"the archive did not start in {_START_S:g} s: {log.read_text()[-2000:]}")
