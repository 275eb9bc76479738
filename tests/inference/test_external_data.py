"""No network may take weights from outside its file, wherever in it a tensor stands."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.label import LV_ONLY
from cardiotrace.inference.external_data import refuse_external_data
from cardiotrace.inference.message import delimited
from cardiotrace.inference.model_file import CHECKSUM_KEY, open_seal, read_model, seal
from tests.fake.models import make_spec, threshold_network

NETWORK = threshold_network(0.5)
SPEC = make_spec(LV_ONLY)


def outside(name: str = "hidden") -> TensorProto:
    """A tensor whose values stand in the file "weights.bin" of the current folder."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="weights.bin")
    return tensor


def only_told() -> TensorProto:
    tensor = outside()
    tensor.ClearField("data_location")
    return tensor


def only_placed() -> TensorProto:
    tensor = outside()
    tensor.ClearField("external_data")
    return tensor


def graph(tensor: TensorProto) -> GraphProto:
    return helper.make_graph([], "inner", [], [], [tensor])


def node(**attributes: object) -> NodeProto:
    found = NodeProto(op_type="Constant", output=["x"])
    for name, value in attributes.items():
        attribute = found.attribute.add(name="value")
        kept = getattr(attribute, name)
        kept.extend([value]) if hasattr(kept, "extend") else kept.CopyFrom(value)
    return found


def sparse(tensor: TensorProto, *, as_indices: bool = False) -> onnx.SparseTensorProto:
    found = onnx.SparseTensorProto()
    (found.indices if as_indices else found.values).CopyFrom(tensor)
    return found


def deep(levels: int) -> GraphProto:
    found = graph(outside())
    for _ in range(levels):
        found = helper.make_graph([node(g=found)], "branch", [], [])
    return found


def function(model: ModelProto) -> onnx.FunctionProto:
    return model.functions.add(name="f", domain="own")


PLACES: dict[str, Callable[[ModelProto], object]] = {
    "weights": lambda model: model.graph.initializer.append(outside()),
    "only told": lambda model: model.graph.initializer.append(only_told()),
    "only placed": lambda model: model.graph.initializer.append(only_placed()),
    "sparse values": lambda model: model.graph.sparse_initializer.append(sparse(outside())),
    "sparse indices": lambda model: model.graph.sparse_initializer.append(sparse(outside(), as_indices=True)),
    "attribute": lambda model: model.graph.node.append(node(t=outside())),
    "attributes": lambda model: model.graph.node.append(node(tensors=outside())),
    "sparse attribute": lambda model: model.graph.node.append(node(sparse_tensor=sparse(outside()))),
    "sparse attributes": lambda model: model.graph.node.append(node(sparse_tensors=sparse(outside()))),
    "branch": lambda model: model.graph.node.append(node(g=graph(outside()))),
    "branches": lambda model: model.graph.node.append(node(graphs=graph(outside()))),
    "branch of branches": lambda model: model.graph.node.append(node(g=deep(10))),
    "function": lambda model: function(model).node.append(node(t=outside())),
    "default of a function": lambda model: function(model).attribute_proto.append(
        AttributeProto(name="a", type=AttributeProto.TENSOR, t=outside())
    ),
    "training": lambda model: model.training_info.add().initialization.CopyFrom(graph(outside())),
    "steps of training": lambda model: model.training_info.add().algorithm.CopyFrom(graph(outside())),
}


@pytest.mark.parametrize("place", PLACES)
def test_external_data_is_refused_wherever_it_stands(place: str) -> None:
    model = onnx.load_from_string(NETWORK)
    PLACES[place](model)
    with pytest.raises(ModelFileError, match="tensor 'hidden' takes its values from outside the file"):
        refuse_external_data(model.SerializeToString())


def sealed_by_force(network: bytes) -> bytes:
    """What somebody makes who writes the seal without this program."""
    sound = seal(NETWORK, SPEC)
    described = network + sound[len(NETWORK) : -88]
    digest = hashlib.sha256(described).hexdigest().encode()
    return described + delimited(14, delimited(1, CHECKSUM_KEY) + delimited(2, digest))


def test_a_sealed_model_with_its_weights_elsewhere_is_not_sound(tmp_path: Path, monkeypatch) -> None:
    model = onnx.load_from_string(NETWORK)
    weight = model.graph.initializer[0]
    (tmp_path / "weights.bin").write_bytes(numpy_helper.to_array(weight).tobytes())
    onnx.external_data_helper.set_external_data(weight, "weights.bin")
    weight.ClearField("raw_data")
    network = model.SerializeToString()
    content = sealed_by_force(network)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(
        ModelFileError, match=r"model\.onnx: the network's tensor 'weight' takes its values from outside"
    ):
        read_model(tmp_path / "model.onnx")
    with pytest.raises(ModelFileError, match="save the network with all weights inside"):
        seal(network, SPEC)


def test_sound_networks_pass() -> None:
    refuse_external_data(NETWORK)
    assert open_seal(sealed_by_force(NETWORK)).name == "tiny"
    model = onnx.load_from_string(NETWORK)
    model.graph.doc_string = "location external_data"
    inside = numpy_helper.from_array(np.ones(2, np.float32), "inside")
    inside.data_location = TensorProto.DEFAULT
    model.graph.initializer.append(inside)
    refuse_external_data(model.SerializeToString())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x6a\x02\x08", "cut off"),
        (b"\x00\x00", "not an ONNX model"),  # field 0
        (b"\xba\x80\x80\x80\x40\x00", "not an ONNX model"),  # field 7 for readers of 32 bits
        (b"\x3b\x3c", "not an ONNX model"),  # a group, which no field of the format is
        (delimited(7, b"\x2a\x05\x08"), "cut off"),
    ],
)
def test_what_another_reader_might_take_for_something_else_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(ModelFileError, match=said):
        refuse_external_data(content)


def test_nesting_has_an_end() -> None:
    content = b""
    for _ in range(60):
        content = delimited(1, delimited(5, delimited(6, content)))
    with pytest.raises(ModelFileError, match="more than 100 levels deep"):
        refuse_external_data(delimited(7, content))
