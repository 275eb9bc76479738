"""Tiny networks whose answer is known, as ONNX bytes, and sealed model files made of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from cardiotrace.core.catalog import Choice
from cardiotrace.core.label import LabelScheme
from cardiotrace.core.terms import View
from cardiotrace.inference.model_file import Model, open_seal, seal
from cardiotrace.inference.spec import ModelSpec, SchemeSpec
from cardiotrace.preparation import Preparation


def pointwise_network(weight: NDArray[np.float32], bias: NDArray[np.float32]) -> bytes:
    """ONNX bytes of a 1x1 convolution: weight (classes, channels), bias (classes,); any batch and image size."""
    classes, channels = weight.shape
    node = helper.make_node("Conv", ["image", "weight", "bias"], ["logits"], kernel_shape=[1, 1])
    graph = helper.make_graph(
        [node],
        "pointwise",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", channels, "h", "w"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", classes, "h", "w"])],
        [
            numpy_helper.from_array(weight.astype(np.float32)[:, :, None, None], "weight"),
            numpy_helper.from_array(bias.astype(np.float32), "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def threshold_network(*thresholds: float, steepness: float = 1000.0) -> bytes:
    """Class i wins where the image lies between thresholds i - 1 and i (in unit range)."""
    slopes = steepness * np.arange(len(thresholds) + 1, dtype=np.float32)
    offsets = -steepness * np.concatenate([[0.0], np.cumsum(thresholds)])
    return pointwise_network(slopes[:, None], offsets.astype(np.float32))


def make_spec(scheme: LabelScheme, **changes: Any) -> ModelSpec:
    """Description of a model of grey images that works on the image's own grid (no preparation)."""
    values: dict[str, Any] = {
        "name": "tiny",
        "summary": "A network for tests.",
        "scheme": SchemeSpec(scheme.name, {str(key): value for key, value in scheme.values.items()}),
        "views": (View.A4C,),
        "classes": scheme.class_count,
        "preparation": Preparation([]),
    }
    return ModelSpec(**(values | changes))


def make_model(network: bytes, spec: ModelSpec) -> Model:
    """Sealed and verified, in memory."""
    content = seal(network, spec)
    return Model(open_seal(content), content)


def resize(height: int, width: int) -> Preparation:
    """A preparation that stretches every picture to one size."""
    return Preparation([Choice("resize", {"height": height, "width": width})])
