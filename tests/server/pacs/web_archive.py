"""An archive by DICOMweb that holds one study, for pages and clients to ask; no more of the standard than these ask."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pydicom import dcmread

_BOUNDARY = "the-end-of-a-part"


@contextmanager
def web_archive(files: list[Path]) -> Iterator[str]:
    """Serve the objects of one study while it lasts.

    Args:
        files: of the study.

    Yields:
        The root of its services.
    """
    first = dcmread(files[0], stop_before_pixels=True)
    uid = str(first.StudyInstanceUID)
    told = {
        "0020000D": {"vr": "UI", "Value": [uid]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": str(first.PatientName)}]},
        "00100020": {"vr": "LO", "Value": [str(first.PatientID)]},
        "00080020": {"vr": "DA", "Value": ["20260102"]},
        "00080061": {"vr": "CS", "Value": [str(first.Modality)]},
        "00201208": {"vr": "IS", "Value": [len(files)]},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            if parts.path.endswith(f"/studies/{uid}"):
                body = b"".join(
                    f"--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode() + file.read_bytes() + b"\r\n"
                    for file in files
                )
                kind = f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}'
                self._answer(body + f"--{_BOUNDARY}--\r\n".encode(), kind)
            else:
                name = parse_qs(parts.query).get("PatientName", ["*"])[0]
                fits = str(first.PatientName).startswith(name.rstrip("*"))
                self._answer(json.dumps([told] if fits else []).encode(), "application/dicom+json")

        def _answer(self, body, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Tell nobody."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/dicom-web"
        finally:
            server.shutdown()
            thread.join()
