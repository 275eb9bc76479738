"""A network of planes that is shown volumes, as ONNX nodes around it."""

import onnx
from onnx import TensorProto, helper


def plane_by_plane(network: onnx.GraphProto, prefix: str, *, volume: str, epsilon: float) -> onnx.GraphProto:
    """The same network on volumes (batch, channels, depth, height, width), of which it sees one plane at a time.

    Each plane is brought to mean 0 and deviation 1, channel by channel, before the network sees it: it learned from
    planes that were normalised by themselves, and volumes are normalised as a whole.

    Args:
        network: one input and one output, (planes, channels, height, width) each.
        prefix: of the names of what is put around it; its own nodes have it already.
        volume: name of the input that all networks of the graph share.
        epsilon: added to the deviation, as the preprocessing does: a slice that was filled up is flat.

    Returns:
        A graph with the input `volume` and the output (batch, classes, depth, height, width).
    """
    inside = network.input[0].name if network.input[0].name != volume else f"{prefix}planes"
    network = _renamed_input(network, inside)
    name = prefix.__add__
    logits = network.output[0].name
    before = [
        helper.make_node("Transpose", [volume], [name("by_depth")], perm=[0, 2, 1, 3, 4]),
        helper.make_node("Shape", [name("by_depth")], [name("sides")]),
        helper.make_node("Slice", [name("sides"), name("second"), name("end")], [name("plane_sides")]),
        helper.make_node("Concat", [name("any"), name("plane_sides")], [name("planes_sides")], axis=0),
        helper.make_node("Reshape", [name("by_depth"), name("planes_sides")], [name("as_planes")]),
        # Averages by pooling: the arguments of reductions changed between opsets.
        helper.make_node("GlobalAveragePool", [name("as_planes")], [name("mean")]),
        helper.make_node("Sub", [name("as_planes"), name("mean")], [name("centred")]),
        helper.make_node("Mul", [name("centred"), name("centred")], [name("squared")]),
        helper.make_node("GlobalAveragePool", [name("squared")], [name("variance")]),
        helper.make_node("Sqrt", [name("variance")], [name("deviation")]),
        helper.make_node("Add", [name("deviation"), name("epsilon")], [name("divisor")]),
        helper.make_node("Div", [name("centred"), name("divisor")], [inside]),
    ]
    after = [
        helper.make_node("Slice", [name("sides"), name("zero"), name("second")], [name("batch_depth")]),
        helper.make_node("Shape", [logits], [name("logit_sides")]),
        helper.make_node("Slice", [name("logit_sides"), name("first"), name("end4")], [name("class_sides")]),
        helper.make_node("Concat", [name("batch_depth"), name("class_sides")], [name("volume_sides")], axis=0),
        helper.make_node("Reshape", [logits, name("volume_sides")], [name("logits_by_depth")]),
        helper.make_node("Transpose", [name("logits_by_depth")], [name("volume_logits")], perm=[0, 2, 1, 3, 4]),
    ]
    constants = {"any": -1, "zero": 0, "first": 1, "second": 2, "end4": 4, "end": 5}
    weights = [helper.make_tensor(name(key), TensorProto.INT64, [1], [value]) for key, value in constants.items()]
    weights.append(helper.make_tensor(name("epsilon"), TensorProto.FLOAT, [], [epsilon]))
    output = helper.make_tensor_value_info(name("volume_logits"), TensorProto.FLOAT, None)
    return helper.make_graph(
        [*before, *network.node, *after],
        network.name,
        [helper.make_tensor_value_info(volume, TensorProto.FLOAT, None)],
        [output],
        [*network.initializer, *weights],
    )


def _renamed_input(network: onnx.GraphProto, name: str) -> onnx.GraphProto:
    """A copy whose input has another name."""
    former = network.input[0].name
    copy = onnx.GraphProto()
    copy.CopyFrom(network)
    for node in copy.node:
        for index, each in enumerate(node.input):
            if each == former:
                node.input[index] = name
    copy.input[0].name = name
    return copy
