"""Several models as one: their mean probability in one ONNX graph, so that whatever runs a model runs an ensemble."""

import dataclasses
from collections.abc import Mapping, Sequence

import onnx
from onnx import TensorProto, compose, helper

from cardiotrace.core.catalog import Choice
from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.licence import Terms
from cardiotrace.inference.engine import FEATURES
from cardiotrace.inference.learned_images import LearnedImages
from cardiotrace.inference.model_file import LOCALISER, Model
from cardiotrace.inference.spec import Calibration, ModelSpec, TrainingSpec
from cardiotrace.learning.plane_by_plane import plane_by_plane

_ALIKE = ("scheme", "channels", "neighbours", "neighbours_of", "preprocessing", "localiser")
"""What members must share: they see the same prepared image and name the same classes."""
_ALIKE_IN_SHAPE = ("dimensions", "window")
"""What they must share, too, but for networks of planes among networks of volumes."""
Z_SCORE = "z-score"
"""The intensity step after which gain and offset of what came before no longer matter."""
LEAST_PROBABILITY = 1e-9
"""Before the logarithm: no pixel is impossible."""


def join(members: Sequence[Model], *, name: str, summary: str = "") -> tuple[ModelSpec, bytes]:
    """A network whose logits are the logarithm of the mean of its members' probabilities, and its description.

    Postprocessing and views are those of the first member. The threshold is the mean of the members' thresholds,
    limits are the lowest of theirs; scores are left out, since they are not those of the mean. Where the first is a
    network of volumes, others may be networks of planes: these see the volume plane by plane, each brought to mean 0
    and deviation 1 by itself, as they learned it.

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
        if set(member.spec.graphs) - {LOCALISER}:
            raise ModelFileError(f"model {member.spec.name!r} has several graphs, and members of an ensemble have one")
        alike = _ALIKE if _is_plane_by_plane(member.spec, first) else _ALIKE + _ALIKE_IN_SHAPE
        differing = [key for key in alike if to_plain(getattr(member.spec, key)) != to_plain(getattr(first, key))]
        if differing:
            raise ModelFileError(
                f"models {first.name!r} and {member.spec.name!r} cannot be joined: {', '.join(differing)} differs",
                remedy="members must be made for the same labels and prepare images alike.",
            )


def _is_plane_by_plane(member: ModelSpec, first: ModelSpec) -> bool:
    """Whether a member can see the volumes of the first one plane by plane.

    Volumes come normalised as a whole. Where nothing but their mean and deviation was changed, those of each plane can
    still be had.
    """
    intensity = [step.name for step in _intensity_steps(member)]
    return (member.dimensions, first.dimensions) == (2, 3) and intensity == [Z_SCORE]


def _intensity_steps(spec: ModelSpec) -> list[Choice]:
    steps = spec.preprocessing
    return [step for step in steps.choices if step not in steps.stored_choices]


def _mean(members: Sequence[Model]) -> onnx.ModelProto:
    """Members side by side on one input, softmax on each, mean, logarithm."""
    graphs = [onnx.load_model_from_string(member.graph()) for member in members]
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    probabilities = []
    for index, model in enumerate(graphs):
        # Members of one recipe have the same names inside; only the image is to be the same for all.
        prefix = f"member{index}/"
        part = compose.add_prefix_graph(model.graph, prefix, rename_inputs=False)
        if members[index].spec.dimensions < members[0].spec.dimensions:
            (step,) = _intensity_steps(members[index].spec)
            volume, epsilon = graphs[0].graph.input[0].name, step.options["epsilon"]
            part = plane_by_plane(part, prefix, volume=volume, epsilon=epsilon)
        nodes += [*part.node, helper.make_node("Softmax", [part.output[0].name], [f"{prefix}probability"], axis=1)]
        weights += part.initializer
        probabilities.append(f"{prefix}probability")
    first = graphs[0].graph
    # Logarithms of the mean are logits of it: their softmax gives the mean back, since it sums to 1 already.
    nodes += [
        helper.make_node("Mean", probabilities, ["probability"]),
        helper.make_node("Max", ["probability", "least"], ["possible"]),
        helper.make_node("Log", ["possible"], [first.output[0].name]),
    ]
    weights.append(helper.make_tensor("least", TensorProto.FLOAT, [], [LEAST_PROBABILITY]))
    if any(output.name == FEATURES for output in first.output):
        # Those of the first member are the ensemble's: its bank of known images stays good.
        nodes.append(helper.make_node("Identity", [f"member0/{FEATURES}"], [FEATURES]))
    graph = helper.make_graph(nodes, "ensemble", first.input, first.output, weights)
    ensemble = helper.make_model(graph, opset_imports=graphs[0].opset_import, ir_version=graphs[0].ir_version)
    onnx.checker.check_model(ensemble)
    return ensemble


def _described(specs: Sequence[ModelSpec], name: str, summary: str) -> ModelSpec:
    terms = Terms.together(spec.terms for spec in specs)
    training = _training(specs)
    return dataclasses.replace(
        specs[0],
        name=name,
        summary=summary or f"Mean of {_names(specs)}.",
        architecture=_architecture(specs),
        training=training,
        scores={},
        calibration=_joint([spec.calibration for spec in specs]),
        default_for=(),
        licence=terms.licence,
        citation=terms.citation,
        created=max(spec.created for spec in specs),
    )


def _training(specs: Sequence[ModelSpec]) -> TrainingSpec:
    """What the members learned from, and which of its folds."""
    first = specs[0].training
    folds = list(dict.fromkeys(spec.training.fold for spec in specs))
    return TrainingSpec(
        data_set=" + ".join(dict.fromkeys(spec.training.data_set for spec in specs)),
        split=first.split if len(folds) == 1 else f"folds {', '.join(map(str, folds))}",
        fold=folds[0] if len(folds) == 1 else None,
        recipe={key: first.recipe[key] for key in ("data", "seed") if key in first.recipe},
        started_from=f"mean of {_names(specs)}",
    )


def _architecture(specs: Sequence[ModelSpec]) -> Choice:
    """That of all members, or the names of theirs."""
    first = specs[0].architecture
    if all(spec.architecture == first for spec in specs):
        return first
    return Choice(" + ".join(dict.fromkeys(spec.architecture.name for spec in specs)))


def _names(specs: Sequence[ModelSpec]) -> str:
    return ", ".join(map(_member_name, specs))


def _member_name(spec: ModelSpec) -> str:
    return spec.name if spec.training.fold is None else f"{spec.name} fold {spec.training.fold}"


def _joint(members: Sequence[Calibration]) -> Calibration:
    thresholds = [member.threshold for member in members if member.threshold is not None]
    # The mean of probabilities lies between those of the members, and so does the threshold that fits it. Intervals and
    # temperature do not follow from theirs: an ensemble is calibrated as a whole.
    return Calibration(
        threshold=sum(thresholds) / len(thresholds) if len(thresholds) == len(members) else None,
        shape_limits=_lowest_limits([member.shape_limits for member in members]),
        # Each limit is the lowest of the members', and no more references than of any one of them lie below it.
        shape_quantile=min(member.shape_quantile for member in members),
        # Expected Dice as of the first member alone, which is no better than their mean.
        quality=members[0].quality,
        unlikeness=members[0].unlikeness,
        learned=_learned_together([member.learned for member in members]),
        lowest_confidence=min((each.lowest_confidence for each in members if each.lowest_confidence), default=None),
    )


def _learned_together(members: Sequence[LearnedImages | None]) -> LearnedImages | None:
    """What the members' training images are like; None if one of them does not say."""
    known = [member for member in members if member is not None]
    # As `_mean` calls what is inside of each.
    prefixes = [f"member{index}/" for index in range(len(known))]
    return LearnedImages.together(known, prefixes) if len(known) == len(members) else None


def _lowest_limits(members: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """Of regions and measures that all members have a limit for."""
    regions = [region for region in members[0] if all(region in limits for limits in members)]
    return {region: _lowest([limits[region] for limits in members]) for region in regions}


def _lowest(members: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = [name for name in members[0] if all(name in limits for limits in members)]
    return {name: min(limits[name] for limits in members) for name in names}
