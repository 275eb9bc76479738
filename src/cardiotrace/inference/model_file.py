"""One ONNX file that carries its own description and checksum, and further graphs where a model has several.

The ONNX file format is a protocol-buffers message whose field 14 is a list of key-value pairs. Items of a list may be
appended to such a message by plain concatenation, so a sealed model is

    network as exported | further graphs | "cardiotrace": description as JSON | "cardiotrace.sha256": digest of all that

and stays a valid ONNX file for any other program. Reading the description needs no ONNX library.

A further graph (the decoder of a promptable model, a network that judges) is an ONNX model of its own, with its name,
in a field that ONNX does not know: protocol buffers pass over such fields, so every program opens the first graph. The
description names all of them, so that a file that lost one is refused, and the checksum is over all of it.
"""

import functools
import hashlib
import io
import json
import logging
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cardiotrace.core.errors import ConfigError, InputError, ModelFileError
from cardiotrace.core.file import read_limited, require_regular_file, unreadable
from cardiotrace.core.plain import parse_json
from cardiotrace.inference.external_data import refuse_external_data
from cardiotrace.inference.message import BYTES, RE_EXPORT, Field, SeekableBytes, delimited, fields, not_onnx
from cardiotrace.inference.spec import ModelSpec, spec_from_plain, spec_to_plain

_LOG = logging.getLogger(__name__)

SPEC_KEY = b"cardiotrace"
CHECKSUM_KEY = b"cardiotrace.sha256"

LOCALISER = "localiser"
"""Name of the further graph that finds the heart."""
JUDGE = "judge"
"""Name of the further graph that tells where labels are probably wrong."""

_GRAPH = 7
_METADATA = 14
_FURTHER_GRAPH = 50_000
"""Field of a model that holds a further graph. Protocol buffers leave numbers from 50000 on to whoever needs some."""
_DIGEST_LENGTH = 64
_TRAILER_LENGTH = 4 + 2 + len(CHECKSUM_KEY) + _DIGEST_LENGTH
_LONGEST_ENTRY = 64 * 2**20
_LARGEST = 2**31 - 1
"""Bytes of a message; protocol buffers read no more."""


@dataclass(frozen=True)
class Model:
    """A verified model in memory: its description and the bytes of the whole file."""

    spec: ModelSpec
    content: bytes
    path: Path | None = None

    @functools.cached_property
    def sha256(self) -> str:
        """Of the whole file, as `sha256sum` prints it."""
        return hashlib.sha256(self.content).hexdigest()

    def graph(self, name: str | None = None) -> bytes:
        """A graph of the model as ONNX bytes: the first one, which labels samples, or a further one by its name.

        Raises:
            ModelFileError: there is none of that name.
        """
        if name is None:
            # Engines would keep what they do not know; a file of one graph need not be copied for that.
            return _split(self.content).network if self.spec.graphs else self.content
        if name not in self.spec.graphs:
            there = (
                f"it has {', '.join(self.spec.graphs)}." if self.spec.graphs else "it has one graph, without a name."
            )
            raise ModelFileError(f"model {self.spec.name!r} has no graph {name!r}", where=self.path, remedy=there)
        return _split(self.content).further[name]


def seal(onnx_bytes: bytes, spec: ModelSpec, *, graphs: Mapping[str, bytes] | None = None) -> bytes:
    """Append the description and the checksum to an exported network; an older seal is replaced.

    Args:
        onnx_bytes: a serialised ONNX model with all its weights inside.
        spec: what the file shall say about itself; `graphs` of it are those that the file then holds.
        graphs: further graphs by name, ONNX models too; those that are already there stay.

    Returns:
        The bytes of the model file.

    Raises:
        ModelFileError: the bytes are not an ONNX model, or it takes weights from elsewhere, or the localiser that the
            description tells of is not among the graphs.
    """
    parts = _split(onnx_bytes)
    further = {**parts.further, **(graphs or {})}
    for graph in (parts.network, *further.values()):
        _refuse_unfit(graph)
    _refuse_lacking(spec, further, needed=())
    # The seal comes last, so that its digest can be over everything else in one pass.
    held = b"".join(_further(name, graph) for name, graph in further.items())
    plain = spec_to_plain(replace(spec, graphs=tuple(further)))
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    described = parts.network + held + _entry(SPEC_KEY, text.encode())
    return described + _trailer(described)


def read_spec(path: Path) -> ModelSpec:
    """Read a model's description without loading its weights; the checksum is left to `verify`.

    Raises:
        ModelFileError: not an ONNX file, cut off, without a description, or of another format version.
    """
    try:
        require_regular_file(path)
        with path.open("rb") as file:
            return _read_spec(file)
    except (OSError, InputError) as error:
        raise _located(error, path) from None


def verify(path: Path) -> ModelSpec:
    """Check that every byte of a model file is as it was sealed.

    Returns:
        Its description.

    Raises:
        ModelFileError: see `read_model`.
    """
    return read_model(path).spec


def read_model(path: Path) -> Model:
    """Read a model file and verify its checksum.

    Raises:
        ModelFileError: unreadable, not an ONNX file, cut off, changed since it was sealed, or of another version.
    """
    try:
        content = read_limited(path, largest=_LARGEST)
        model = Model(open_seal(content), content, path)
    except InputError as error:
        raise _located(error, path) from None
    _LOG.debug("read model %s of %d bytes from %s", model.spec.name, len(content), path)
    return model


def read_checksum(path: Path) -> str:
    """The checksum that a model file states at its end, unchecked: it tells whether two files are the same model.

    Raises:
        ModelFileError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, io.SEEK_END) - _DIGEST_LENGTH))
            return file.read().decode("ascii", "replace")
    except OSError as error:
        raise unreadable(path, error) from None


def open_seal(content: bytes) -> ModelSpec:
    """Description of a sealed model held in memory, after checking its checksum, and that all of it is in there.

    Raises:
        ModelFileError: see `read_model`.
    """
    # A view, or every look at a part of the file would copy hundreds of megabytes.
    view = memoryview(content)
    if view[-_TRAILER_LENGTH:] != _trailer(view[:-_TRAILER_LENGTH]):
        raise _why_unsealed(content)
    refuse_external_data(content)
    spec = _read_spec(io.BytesIO(content))
    further = _split(content).further if spec.graphs else {}
    _refuse_lacking(spec, further, needed=spec.graphs)
    for graph in further.values():
        _refuse_unfit(graph)
    return spec


def _why_unsealed(content: bytes) -> ModelFileError:
    """The most helpful thing to say about a file whose checksum does not fit."""
    try:
        _read_spec(io.BytesIO(content))
    except ModelFileError as error:
        return error
    if CHECKSUM_KEY not in content[-_TRAILER_LENGTH:]:
        return ModelFileError("the model file has no checksum at its end", remedy=RE_EXPORT)
    return ModelFileError("the model file was changed after it was sealed: its checksum does not fit", remedy=RE_EXPORT)


def _located(error: OSError | InputError, path: Path) -> ModelFileError:
    known = unreadable(path, error) if isinstance(error, OSError) else error
    what = "no such model file" if known.what == "no such file" else known.what
    return ModelFileError(what, where=path, remedy=known.remedy)


def _read_spec(file: SeekableBytes) -> ModelSpec:
    descriptions = [value for key, value in _metadata(file) if key == SPEC_KEY]
    # Of two, programs differ in which one they read: one file would be two models.
    if len(descriptions) != 1:
        count = len(descriptions) or "no"
        raise ModelFileError(
            f"an ONNX model with {count} description{'s' if count != 'no' else ''} of CardioTrace inside",
            remedy="export it with `cardiotrace export`, which writes what is needed to use the model into the file.",
        )
    try:
        values = parse_json(descriptions[0])
    except ConfigError as error:
        raise ModelFileError(f"the model's description is damaged: it {error.what}", remedy=RE_EXPORT) from None
    if not isinstance(values, dict):
        raise ModelFileError("the model's description is damaged: it is not a table", remedy=RE_EXPORT)
    return spec_from_plain(values)


def _metadata(file: SeekableBytes) -> Iterator[tuple[bytes, bytes]]:
    """The key-value pairs of an ONNX model; the file must be one."""
    has_graph = False
    for field in fields(file):
        has_graph |= field.number == _GRAPH
        if field.number == _METADATA:
            yield _read_entry(_content(file, field))
    if not has_graph:
        raise not_onnx()


@dataclass(frozen=True)
class _Parts:
    """What a model file holds beside its seal."""

    network: bytes
    further: dict[str, bytes]


def _split(content: bytes) -> _Parts:
    """The first graph's own bytes, without all that `seal` adds, and the further graphs."""
    file = io.BytesIO(content)
    kept: list[bytes] = []
    further: dict[str, bytes] = {}
    has_graph = False
    for field in fields(file):
        has_graph |= field.number == _GRAPH
        # Entries of other programs stay where they were: only what `seal` added is taken out.
        if field.number == _FURTHER_GRAPH and field.wire == BYTES:
            name, graph = _read_entry(content[field.content : field.end])
            further[name.decode(errors="replace")] = graph
        elif not (field.number == _METADATA and _read_entry(_content(file, field))[0] in (SPEC_KEY, CHECKSUM_KEY)):
            kept.append(content[field.start : field.end])
    if not has_graph:
        raise not_onnx()
    return _Parts(b"".join(kept), further)


def _refuse_lacking(spec: ModelSpec, further: Container[str], *, needed: tuple[str, ...]) -> None:
    """Refuse a model without a further graph that it needs, those of its localiser and its judge among them."""
    needed = needed if spec.localiser is None else (*needed, LOCALISER)
    needed = needed if spec.judge is None else (*needed, JUDGE)
    if lacking := [name for name in needed if name not in further]:
        raise ModelFileError(f"the model file lacks its graph {lacking[0]!r}", remedy=RE_EXPORT)


def _refuse_unfit(graph: bytes) -> None:
    """Refuse bytes that are no ONNX model, or one that takes weights from elsewhere."""
    if all(field.number != _GRAPH for field in fields(io.BytesIO(graph))):
        raise not_onnx()
    refuse_external_data(graph)


def _read_entry(content: bytes) -> tuple[bytes, bytes]:
    file = io.BytesIO(content)
    parts = {field.number: content[field.content : field.end] for field in fields(file)}
    return parts.get(1, b""), parts.get(2, b"")


def _content(file: SeekableBytes, field: Field) -> bytes:
    if field.end - field.content > _LONGEST_ENTRY:
        raise ModelFileError(f"a metadata entry of {field.end - field.content} bytes is too long to be a description")
    file.seek(field.content)
    return file.read(field.end - field.content)


def _entry(key: bytes, value: bytes) -> bytes:
    return delimited(_METADATA, delimited(1, key) + delimited(2, value))


def _further(name: str, graph: bytes) -> bytes:
    return delimited(_FURTHER_GRAPH, delimited(1, name.encode()) + delimited(2, graph))


def _trailer(sealed: bytes | memoryview) -> bytes:
    return _entry(CHECKSUM_KEY, hashlib.sha256(sealed).hexdigest().encode())
