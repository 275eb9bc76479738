"""Files that workers wrote, as answers: with what tells whether a browser has them already, and compressed."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

_CHUNK = 1 << 18
_GZIP = 31
"""zlib's word for the framing of gzip."""


def content_answer(request: Request, path: Path, media_type: str, digest: str, *, compressed: bool) -> Response:
    """The content of a file.

    Args:
        request: may say that it knows the content already, and that it takes gzip.
        path: of the file.
        media_type: of the content.
        digest: of the content.
        compressed: whether it is worth the time.
    """
    tag = f'"{digest}"'
    headers = {"etag": tag, "cache-control": "private, no-cache", "vary": "accept-encoding"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    chunks = _chunks(path)
    if compressed and "gzip" in request.headers.get("accept-encoding", ""):
        return StreamingResponse(
            _packed(chunks), headers={**headers, "content-encoding": "gzip"}, media_type=media_type
        )
    headers["content-length"] = str(path.stat().st_size)
    return StreamingResponse(chunks, headers=headers, media_type=media_type)


def made_answer(request: Request, make: Callable[[], bytes], media_type: str, digest: str) -> Response:
    """Content that is made when it is asked for, unless a browser has it already; see `content_answer`.

    Args:
        request: may say that it knows the content already, and that it takes gzip.
        make: gives the content.
        media_type: of it.
        digest: tells it from others.
    """
    tag = f'"{digest}"'
    headers = {"etag": tag, "cache-control": "private, no-cache", "vary": "accept-encoding"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = make()
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = b"".join(_packed(iter([content])))
        headers["content-encoding"] = "gzip"
    return Response(content, headers=headers, media_type=media_type)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _packed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()
