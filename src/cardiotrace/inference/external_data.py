"""Refuse networks that take weights from outside their file.

ONNX lets a tensor name a file that holds its values, which the runtime looks for in the current folder, or an address
in memory. No checksum covers those, so a model that would is no sealed model. Tensors stand in many places: weights,
sparse weights, attributes of nodes, and all of these in branches, loops, functions and steps of training.
"""

import io

from cardiotrace.core.errors import ModelFileError
from cardiotrace.inference.message import BYTES, VARINT, Field, fields, read_varint

_INNER: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"},
    "sparse tensor": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""Messages that lead to tensors, by the numbers of their fields in the ONNX format."""
_NAME, _EXTERNAL_DATA, _DATA_LOCATION = 8, 13, 14
_DEEPEST = 100
"""Messages within each other; protocol buffers read no further either."""


def refuse_external_data(content: bytes) -> None:
    """Look at every tensor of an ONNX model.

    Args:
        content: the bytes of the model.

    Raises:
        ModelFileError: one of them has its values elsewhere, or the model is no message.
    """
    file = io.BytesIO(content)
    waiting: list[tuple[str, int, int, int]] = [("model", 0, len(content), 1)]
    # A list of what is left to look at and no recursion: the depth of a file must not be that of our own stack.
    while waiting:
        kind, start, end, depth = waiting.pop()
        if depth > _DEEPEST:
            raise ModelFileError(f"the network is nested more than {_DEEPEST} levels deep")
        found = list(fields(file, start, end))
        if kind == "tensor" and any(_points_outside(file, field) for field in found):
            raise _external(content, found)
        inner = _INNER[kind]
        waiting += [
            (inner[field.number], field.content, field.end, depth + 1)
            for field in found
            if field.number in inner and field.wire == BYTES
        ]


def _points_outside(file: io.BytesIO, field: Field) -> bool:
    if field.number == _DATA_LOCATION and field.wire == VARINT:
        file.seek(field.content)
        return read_varint(file) != 0
    # A location of another type of wire is no number that we can read; another reader may see one in it.
    return field.number in (_EXTERNAL_DATA, _DATA_LOCATION)


def _external(content: bytes, tensor: list[Field]) -> ModelFileError:
    names = [content[field.content : field.end] for field in tensor if field.number == _NAME and field.wire == BYTES]
    called = f" {names[-1].decode(errors='replace')!r}" if names else ""
    return ModelFileError(
        f"the network's tensor{called} takes its values from outside the file, where no checksum protects them",
        remedy="save the network with all weights inside, and seal that.",
    )
