import numpy as np
import pytest
from scipy.special import softmax

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.label import ACDC, CAMUS, VESSEL
from cardiotrace.inference.channels import ChannelGraph
from cardiotrace.inference.engine import OnnxRuntimeEngine, run_single
from cardiotrace.inference.learned_images import learned_images
from cardiotrace.inference.spec import TrainingSpec
from cardiotrace.learning.ensemble import join
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.preprocessing.intensity import ZScore
from tests.fake.models import layered_network, make_model, make_spec, pointwise_network, volume_network


def member(seed, scheme=CAMUS, **changes):
    rng = np.random.default_rng(seed)
    network = pointwise_network(rng.normal(size=(4, 1)).astype(np.float32), rng.normal(size=4).astype(np.float32))
    return make_model(network, make_spec(scheme, **{"name": f"member-{seed}", **changes}))


def test_the_joined_belief_is_the_mean_of_the_members():
    members = [member(seed) for seed in (1, 2, 3)]
    images = np.random.default_rng(0).normal(size=(2, 1, 5, 7)).astype(np.float32)
    wanted = np.mean([softmax(run_single(OnnxRuntimeEngine(each.graph()), images), axis=1) for each in members], axis=0)
    _, graph = join(members, name="three")
    found = softmax(run_single(OnnxRuntimeEngine(graph), images), axis=1)
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_the_ensemble_says_what_it_is_made_of_and_forgets_scores():
    members = [
        member(1, licence="CC0", citation="A 2001.", scores={"validation": {}}, lowest_confidence=0.5),
        member(2, licence="MIT", citation="B 2002."),
    ]
    spec, _ = join(members, name="pair")
    assert (spec.name, spec.summary, spec.licence) == ("pair", "Mean of member-1, member-2.", "CC0; MIT")
    assert spec.citation == "A 2001. B 2002."
    assert spec.scores == {}
    assert spec.training.started_from == "mean of member-1, member-2"


def test_folds_of_one_recipe_are_told_apart():
    members = [member(fold, name="fold", training=TrainingSpec(fold=fold)) for fold in (1, 2)]
    made = join(members, name="pair")[0].training
    assert (made.started_from, made.split, made.fold) == ("mean of fold fold 1, fold fold 2", "folds 1, 2", None)


def test_its_architecture_names_every_kind_of_member():
    choices = [Choice("unet1"), Choice("runet", {"dilation": 11}), Choice("unet1")]
    members = [member(i, architecture=choice) for i, choice in enumerate(choices)]
    alike, unlike = members[::2], members
    assert join(alike, name="pair")[0].architecture == Choice("unet1")
    assert join(unlike, name="three")[0].architecture == Choice("unet1 + runet")


def test_limits_are_the_lowest_and_known_to_all():
    limits = [
        {"LV": {"simplicity": 0.7, "convexity": 0.9}, "LA": {"simplicity": 0.8}},
        {"LV": {"simplicity": 0.6}, "MYO": {"simplicity": 0.3}},
    ]
    members = [member(i, shape_limits=each, lowest_confidence=0.5 + 0.1 * i) for i, each in enumerate(limits)]
    spec, _ = join(members, name="pair")
    assert spec.calibration.shape_limits == {"LV": {"simplicity": 0.6}}
    assert spec.calibration.lowest_confidence == 0.5


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([member(1)], "at least two"),
        ([member(1), member(2, scheme=ACDC)], "'member-1' and 'member-2' cannot be joined: scheme differs"),
    ],
)
def test_members_must_fit(members, message):
    with pytest.raises(ModelFileError, match=message):
        join(members, name="pair")


def test_members_see_the_same_slices():
    network = pointwise_network(np.ones((4, 3), np.float32), np.zeros(4, np.float32))
    colours = make_model(network, make_spec(CAMUS, name="colours", channels=3))
    slices = make_model(network, make_spec(CAMUS, name="slices", channels=3, neighbours=1))
    with pytest.raises(ModelFileError, match="cannot be joined: neighbours differs"):
        join([colours, slices], name="pair")
    spec, graph = join([slices, slices], name="pair")
    assert (spec.neighbours, spec.channels) == (1, 3)
    assert run_single(OnnxRuntimeEngine(graph), np.zeros((1, 3, 4, 4), np.float32)).shape == (1, 4, 4, 4)


def volume_member(**changes):
    steps = Preprocessing([Choice("z-score")])
    spec = make_spec(VESSEL, name="volumes", dimensions=3, window=(4, 6, 5), preprocessing=steps, **changes)
    return make_model(volume_network(0.1, steepness=2.0), spec)


def plane_member(steps=("z-score",)):
    network = pointwise_network(np.array([[-1.0], [2.0]], np.float32), np.array([0.3, -0.2], np.float32))
    prepared = Preprocessing([Choice(step) for step in steps])
    return make_model(network, make_spec(VESSEL, name="planes", preprocessing=prepared))


def test_a_network_of_planes_among_those_of_volumes_sees_each_plane_normalised_by_itself():
    volumes, planes = volume_member(), plane_member()
    spec, graph = join([volumes, planes], name="mixed")
    assert (spec.dimensions, spec.window) == (3, (4, 6, 5))
    image = (np.random.default_rng(3).normal(size=(2, 1, 4, 6, 5)) * 7 + 3).astype(np.float32)
    image[:, :, 2] = 1.5  # filled up
    own = ZScore().normalise(np.moveaxis(image, 2, 1).reshape(8, 1, 6, 5), 2)
    by_plane = softmax(run_single(OnnxRuntimeEngine(planes.graph()), own), axis=1).reshape(2, 4, 2, 6, 5)
    as_volume = softmax(run_single(OnnxRuntimeEngine(volumes.graph()), image), axis=1)
    found = softmax(run_single(OnnxRuntimeEngine(graph), image), axis=1)
    np.testing.assert_allclose(found, (np.moveaxis(by_plane, 1, 2) + as_volume) / 2, atol=1e-6)


@pytest.mark.parametrize("members", [(plane_member(), volume_member()), (volume_member(), plane_member(()))])
def test_planes_join_volumes_only_behind_them_and_where_their_normalisation_can_be_had(members):
    with pytest.raises(ModelFileError, match="cannot be joined"):
        join(members, name="mixed")


def test_what_training_images_were_like_is_known_of_the_joint_graph_where_all_members_know_it():
    images = np.random.default_rng(0).random((2, 1, 6, 8)).astype(np.float32)
    networks = [layered_network(0.3), layered_network(0.6)]
    learned = [learned_images(each, [images]) for each in networks]
    members = [
        make_model(network, make_spec(VESSEL, name=f"member-{index}", learned=known))
        for index, (network, known) in enumerate(zip(networks, learned, strict=True))
    ]
    spec, graph = join(members, name="pair")
    known = spec.calibration.learned
    assert known.convolutions == ("member0/layer", "member1/layer")
    adapted = OnnxRuntimeEngine(ChannelGraph(graph).renormalised(known.by_convolution, 1.0)).run({"image": images})
    # It learned from these very images: nothing is to be changed.
    np.testing.assert_allclose(adapted["logits"], run_single(OnnxRuntimeEngine(graph), images), atol=0.3)
    lacking = make_model(networks[1], make_spec(VESSEL, name="older"))
    assert join([members[0], lacking], name="pair")[0].calibration.learned is None
