"""Tiny networks whose answer is known, as ONNX bytes, and sealed model files made of them."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from cardiotrace.core.catalog import Choice
from cardiotrace.core.label import ACDC, CAMUS, LabelScheme
from cardiotrace.core.terms import Modality, View
from cardiotrace.inference.model_file import Model, open_seal, seal
from cardiotrace.inference.spec import Calibration, ModelSpec, SchemeSpec, ViewClass
from cardiotrace.postprocessing import Postprocessing
from cardiotrace.preprocessing import Preprocessing


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


def volume_network(cut: float, *, steepness: float = 1000.0) -> bytes:
    """ONNX bytes of a 3 x 3 x 3 mean over volumes: class 1 wins where it is above `cut`, class 0 elsewhere.

    Beyond the volume there is nothing, so that the mean falls towards its faces: a network of planes cannot be this.
    """
    kernel = np.zeros((2, 1, 3, 3, 3), np.float32)
    kernel[1] = steepness / 27
    axes = ["d", "h", "w"]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["volume", "weight", "bias"], ["scores"], pads=[1] * 6)],
        "mean",
        [helper.make_tensor_value_info("volume", TensorProto.FLOAT, ["n", 1, *axes])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 2, *axes])],
        [
            numpy_helper.from_array(kernel, "weight"),
            numpy_helper.from_array(np.array([0, -steepness * cut], np.float32), "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def prompted_network() -> bytes:
    """ONNX bytes of two inputs and two outputs: "mask" = "features" * "prompt", "quality" = its mean."""
    nodes = [
        helper.make_node("Mul", ["features", "prompt"], ["mask"]),
        helper.make_node("ReduceMean", ["mask"], ["quality"], keepdims=0),
    ]
    shape = ["n", "c", "h", "w"]
    graph = helper.make_graph(
        nodes,
        "prompted",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("features", "prompt")],
        [
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, shape),
            helper.make_tensor_value_info("quality", TensorProto.FLOAT, []),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def threshold_network(*thresholds: float, steepness: float = 1000.0) -> bytes:
    """Class i wins where the image lies between thresholds i - 1 and i (in unit range)."""
    slopes = steepness * np.arange(len(thresholds) + 1, dtype=np.float32)
    offsets = -steepness * np.concatenate([[0.0], np.cumsum(thresholds)])
    return pointwise_network(slopes[:, None], offsets.astype(np.float32))


def layered_network(*thresholds: float, steepness: float = 100.0) -> bytes:
    """As `threshold_network`, with a layer of two channels between that can be adapted: "layer", x + 1 and 2 - x."""
    scores = steepness * np.arange(len(thresholds) + 1, dtype=np.float32)
    offsets = -steepness * np.concatenate([[0.0], np.cumsum([each + 1 for each in thresholds])])
    first, second = np.array([1, -1], np.float32), np.stack([scores, np.zeros_like(scores)], axis=1)
    nodes = [
        helper.make_node("Conv", ["image", "weight", "bias"], ["layer"], kernel_shape=[1, 1]),
        helper.make_node("Relu", ["layer"], ["shown"]),
        helper.make_node("Conv", ["shown", "scores", "offsets"], ["logits"], kernel_shape=[1, 1]),
    ]
    weights = {"weight": first.reshape(2, 1, 1, 1), "bias": np.array([1, 2], np.float32)}
    weights |= {"scores": second[:, :, None, None], "offsets": offsets.astype(np.float32)}
    graph = helper.make_graph(
        nodes,
        "layered",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, "h", "w"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(scores), "h", "w"])],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return bytes(model.SerializeToString())


def make_spec(scheme: LabelScheme, **changes: Any) -> ModelSpec:
    """Description of a model of grey images that works on the image's own grid (no preprocessing).

    Args:
        scheme: of its labels.
        changes: fields of the description, and of its calibration.
    """
    fitted = {key.name for key in dataclasses.fields(Calibration)} & set(changes)
    calibration = Calibration(**{key: changes.pop(key) for key in fitted})
    values: dict[str, Any] = {
        "name": "tiny",
        "summary": "A network for tests.",
        "scheme": SchemeSpec(scheme.name, {str(key): value for key, value in scheme.values.items()}),
        "views": (View.FOUR_CHAMBER,),
        "classes": scheme.class_count,
        "preprocessing": Preprocessing([]),
        "calibration": calibration,
    }
    return ModelSpec(**(values | changes))


def make_model(network: bytes, spec: ModelSpec) -> Model:
    """Sealed and verified, in memory."""
    content = seal(network, spec)
    return Model(open_seal(content), content)


def resize(height: int, width: int) -> Preprocessing:
    """A preprocessing that stretches every image to one size."""
    return Preprocessing([Choice("resize", {"height": height, "width": width})])


TOLD_APART = (ViewClass(View.FOUR_CHAMBER, Modality.US, 0.9), ViewClass(View.SAX, Modality.MR, 0.8))
"""Views of the classifiers that tests make."""


def brightness_network(*levels: float, steepness: float = 200.0) -> bytes:
    """ONNX bytes of a classifier of whole images: class i is the likelier, the nearer the mean is to level i."""
    mean = np.array(levels, np.float32)
    weight, bias = 2 * steepness * mean[:, None], -steepness * mean**2
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weight", "bias"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 1, "h", "w"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(levels)])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def make_classifier(**changes: Any) -> Model:
    """A sealed classifier: dark images are no view, those of half the brightness A4C, bright ones short axes of MRI."""
    facts: dict[str, Any] = {
        "name": "tiny-views", "views": (), "classes": 3, "tells_apart": TOLD_APART,
        "preprocessing": resize(16, 16),
    }  # fmt: skip
    return make_model(brightness_network(0.0, 0.5, 1.0), make_spec(LabelScheme("none", {}), **(facts | changes)))


def write_camus_model(path: Path, **changes: Any) -> Path:
    """A model file that labels the images of `tests/fake/camus.py` by their grey values."""
    between = threshold_network(55 / 255, 105 / 255, 150 / 255)  # background < LV < LA < myocardium
    spec = make_spec(
        CAMUS,
        views=(View.TWO_CHAMBER, View.FOUR_CHAMBER),
        postprocessing=Postprocessing([Choice("largest-component"), Choice("fill-holes")]),
        licence="CC0",
        **changes,
    )
    path.write_bytes(seal(_in_order(between, [0, 1, 3, 2]), spec))
    return path


def write_acdc_model(path: Path, **changes: Any) -> Path:
    """A model file that labels the 8-bit images of `tests/fake/acdc.py` by their grey values."""
    between = threshold_network(55 / 255, 105 / 255, 150 / 255)  # background < RV < LV < myocardium
    largest = Choice("largest-component", {"space": "volume"})
    spec = make_spec(ACDC, views=(View.SAX,), postprocessing=Postprocessing([largest]), licence="CC0", **changes)
    path.write_bytes(seal(_in_order(between, [0, 1, 3, 2]), spec))
    return path


def _in_order(network: bytes, order: list[int]) -> bytes:
    """A pointwise network whose classes are those of another in a new order."""
    weights = {item.name: numpy_helper.to_array(item) for item in ModelProto.FromString(network).graph.initializer}
    return pointwise_network(weights["weight"][order, :, 0, 0], weights["bias"][order])
