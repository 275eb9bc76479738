"""A corrector whose answers can be worked out: a code is the framed label map itself, number by number."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from cardiotrace.core.label import CAMUS, LabelScheme
from cardiotrace.core.terms import Modality, View
from cardiotrace.inference.corrector import DECODER, Corrector
from cardiotrace.inference.model_file import Model, open_seal, seal
from cardiotrace.inference.shape_bank import ShapeBank
from cardiotrace.inference.spec import ModelSpec
from cardiotrace.inference.unlikeness import packed
from cardiotrace.preprocessing import Preprocessing
from tests.fake.models import make_spec

SIDE = 32
STEEPNESS = 20.0
"""Logit of a pixel that is all of one class."""


def heart(height: int = 120, width: int = 100) -> NDArray[np.uint8]:
    """A four-chamber view in the values of CAMUS: a horseshoe around a ventricle, an atrium below."""
    rows, columns = np.mgrid[:height, :width]

    def ellipse(row: float, column: float, high: float, wide: float) -> NDArray[np.bool_]:
        return np.asarray(((rows - row) / high) ** 2 + ((columns - column) / wide) ** 2 < 1)

    labels = np.zeros((height, width), np.uint8)
    labels[ellipse(55, 50, 42, 24) & (rows < 70)] = 2
    labels[ellipse(55, 50, 34, 16) & (rows < 70)] = 1
    labels[ellipse(84, 50, 20, 22) & (rows >= 70)] = 3
    return labels


def broken_heart() -> NDArray[np.uint8]:
    """The same with a hole in the ventricle and a piece of it that lies apart."""
    labels = heart()
    labels[40:52, 44:56] = 0
    labels[106:117, 3:15] = 1
    return labels


def encoder(classes: int) -> bytes:
    """ONNX bytes: "maps" (n, classes, SIDE, SIDE) to "codes" (n, classes * SIDE * SIDE)."""
    return _reshaping("maps", ["n", classes, SIDE, SIDE], "codes", [0, classes * SIDE * SIDE], 1.0)


def decoder(classes: int) -> bytes:
    """ONNX bytes: "codes" to "logits" (n, classes, SIDE, SIDE)."""
    return _reshaping("codes", ["n", classes * SIDE * SIDE], "logits", [0, classes, SIDE, SIDE], STEEPNESS)


def _reshaping(before: str, shape: list[Any], after: str, target: list[int], factor: float) -> bytes:
    free = ["n", *target[1:]]
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", [before, "shape"], ["same"]),
            helper.make_node("Mul", ["same", "factor"], [after]),
        ],
        "reshaping",
        [helper.make_tensor_value_info(before, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(after, TensorProto.FLOAT, free)],
        [
            numpy_helper.from_array(np.array(target, np.int64), "shape"),
            numpy_helper.from_array(np.array(factor, np.float32), "factor"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def make_corrector_spec(scheme: LabelScheme = CAMUS, view: View = View.FOUR_CHAMBER, **changes: Any) -> ModelSpec:
    """The description of a corrector that knows no shapes yet; `changes` are of its bank."""
    size = scheme.class_count * SIDE * SIDE
    bank = ShapeBank(
        **{"views": (view,), "side": SIDE, "code": size, "limits": "references", "lowest_dice": 0.5, **changes}
    )
    return make_spec(
        scheme,
        name="shapes",
        views=(),
        modality=Modality.MR if view is View.SAX else Modality.US,
        channels=scheme.class_count,
        preprocessing=Preprocessing([]),
        corrects=bank,
    )


def make_corrector(*known: NDArray[np.uint8], pixel_mm: tuple[float, float] = (1.0, 1.0), **changes: Any) -> Corrector:
    """A corrector that knows some planes of labels."""
    return Corrector.of(make_corrector_model(*known, pixel_mm=pixel_mm, **changes))


def make_corrector_model(
    *known: NDArray[np.uint8], pixel_mm: tuple[float, float] = (1.0, 1.0), **changes: Any
) -> Model:
    """The same as a sealed model in memory."""
    spec = make_corrector_spec(**changes)
    graphs = encoder(spec.classes), decoder(spec.classes)
    first = Corrector(spec, *graphs)
    if known:
        codes = np.stack([first.code_of(plane, pixel_mm) for plane in known])
        spec = make_corrector_spec(**{**changes, "known": packed(codes), "count": len(known)})
    content = seal(graphs[0], spec, graphs={DECODER: graphs[1]})
    return Model(open_seal(content), content)


def write_corrector(path: Path, *known: NDArray[np.uint8], **changes: Any) -> Path:
    """The same as a file."""
    path.write_bytes(make_corrector_model(*known, **changes).content)
    return path
