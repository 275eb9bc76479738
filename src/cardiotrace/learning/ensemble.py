"""Several models as one file: their mean belief in one ONNX graph, so that whatever runs a model runs an ensemble."""

import dataclasses
from collections.abc import Mapping, Sequence

import onnx
from onnx import TensorProto, compose, helper

from cardiotrace.core.catalog import Choice
from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.licence import Terms
from cardiotrace.inference.model_file import Model
from cardiotrace.inference.spec import Calibration, ModelSpec, TrainingSpec

_ALIKE = ("scheme", "channels", "dimensions", "preprocessing")
"""What members must share: they see the same prepared image and name the same classes."""
LEAST_PROBABILITY = 1e-9
"""Before the logarithm: no pixel is impossible."""


def join(members: Sequence[Model], *, name: str, summary: str = "") -> tuple[ModelSpec, bytes]:
    """A network whose logits are the logarithm of the mean of its members' probabilities, and its description.

    Postprocessing and views are those of the first member. The threshold is the mean of the members' thresholds,
    limits are the lowest of theirs; scores are left out, since they are not those of the mean.

    Args:
        members: at least two, of one scheme, number of channels and preprocessing.
        name: of the ensemble.
        summary: one line; by default it names the members.

    Returns:
        The draft of a description, and the graph, not sealed: what is measured with it may still be written in.

    Raises:
        ModelFileError: fewer than two, or members that do not fit together.
    """
    _check(members)
    graph = _mean(members)
    return _described([member.spec for member in members], name, summary), bytes(graph.SerializeToString())


def _check(members: Sequence[Model]) -> None:
    if len(members) < 2:
        raise ModelFileError("an ensemble needs at least two models")
    first = members[0].spec
    for member in members:
        if member.spec.graphs:
            raise ModelFileError(f"model {member.spec.name!r} has several graphs, and members of an ensemble have one")
        differing = [key for key in _ALIKE if to_plain(getattr(member.spec, key)) != to_plain(getattr(first, key))]
        if differing:
            raise ModelFileError(
                f"models {first.name!r} and {member.spec.name!r} cannot be joined: {', '.join(differing)} differs",
                remedy="members must be made for the same labels and prepare images alike.",
            )


def _mean(members: Sequence[Model]) -> onnx.ModelProto:
    """Members side by side on one input, softmax on each, mean, logarithm."""
    graphs = [onnx.load_model_from_string(member.graph()) for member in members]
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    soft_targets = []
    for index, model in enumerate(graphs):
        prefix = f"member{index}/"
        part = compose.add_prefix_graph(model.graph, prefix, rename_inputs=False)
        nodes += [*part.node, helper.make_node("Softmax", [part.output[0].name], [f"{prefix}belief"], axis=1)]
        weights += part.initializer
        soft_targets.append(f"{prefix}belief")
    nodes += [
        helper.make_node("Mean", soft_targets, ["belief"]),
        helper.make_node("Max", ["belief", "least"], ["possible"]),
        helper.make_node("Log", ["possible"], ["logits"]),
    ]
    weights.append(helper.make_tensor("least", TensorProto.FLOAT, [], [LEAST_PROBABILITY]))
    first = graphs[0].graph
    graph = helper.make_graph(nodes, "ensemble", first.input, first.output, weights)
    made = helper.make_model(graph, opset_imports=graphs[0].opset_import, ir_version=graphs[0].ir_version)
    onnx.checker.check_model(made)
    return made


def _described(specs: Sequence[ModelSpec], name: str, summary: str) -> ModelSpec:
    names = ", ".join(map(_member_name, specs))
    folds = list(dict.fromkeys(spec.training.fold for spec in specs))
    first, terms = specs[0], Terms.together(spec.terms for spec in specs)
    training = TrainingSpec(
        data_set=" + ".join(dict.fromkeys(spec.training.data_set for spec in specs)),
        split=first.training.split if len(folds) == 1 else f"folds {', '.join(map(str, folds))}",
        fold=folds[0] if len(folds) == 1 else None,
        recipe={key: first.training.recipe[key] for key in ("data", "seed") if key in first.training.recipe},
        started_from=f"mean of {names}",
    )
    return dataclasses.replace(
        first,
        name=name,
        summary=summary or f"Mean of {names}.",
        architecture=_architecture(specs),
        training=training,
        scores={},
        calibration=_joint([spec.calibration for spec in specs]),
        default_for=(),
        licence=terms.licence,
        citation=terms.citation,
        created=max(spec.created for spec in specs),
    )


def _architecture(specs: Sequence[ModelSpec]) -> Choice:
    """That of all members, or the names of theirs."""
    first = specs[0].architecture
    if all(spec.architecture == first for spec in specs):
        return first
    return Choice(" + ".join(dict.fromkeys(spec.architecture.name for spec in specs)))


def _member_name(spec: ModelSpec) -> str:
    return spec.name if spec.training.fold is None else f"{spec.name} fold {spec.training.fold}"


def _joint(members: Sequence[Calibration]) -> Calibration:
    thresholds = [member.threshold for member in members if member.threshold is not None]
    return Calibration(
        threshold=sum(thresholds) / len(thresholds) if len(thresholds) == len(members) else None,
        shape_limits=_lowest_limits([member.shape_limits for member in members]),
        lowest_confidence=min((each.lowest_confidence for each in members if each.lowest_confidence), default=None),
    )


def _lowest_limits(members: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """Of regions and measures that all members have a limit for."""
    first, *others = members
    return {
        region: {
            name: min(limit, *(limits[region][name] for limits in others))
            for name, limit in named.items()
            if all(name in limits.get(region, {}) for limits in others)
        }
        for region, named in first.items()
        if all(region in limits for limits in others)
    }
