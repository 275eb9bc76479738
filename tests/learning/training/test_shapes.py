"""Training on shapes: what label maps go through, that images teach nothing, and that an interrupted run goes on."""

import dataclasses

import numpy as np
import pytest
import torch

from cardiotrace.core.errors import ConfigError
from cardiotrace.datasets.packed import IGNORED
from cardiotrace.inference.shape_frame import ShapeFrame
from cardiotrace.learning.models.label_maps import Unsteady, framed, one_hot
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.loop import step, validate
from cardiotrace.learning.training.recipe import recipe_from_plain
from cardiotrace.learning.training.run import Hardware, RunCallbacks, check_run, train
from cardiotrace.learning.training.shapes import ShapeLearning, ShapeObjective, spoilt
from tests.fake.correctors import heart
from tests.learning.training.tiny import RECIPE, recipe, student, task_and_state, training_data

TINY = {
    **RECIPE,
    "architecture": {"name": "shape-autoencoder", "side": 32, "code": 6, "width": 4, "widest": 8},
    "shapes": {"side": 64},
}


def shapes_recipe(**changes):
    return recipe_from_plain(TINY | changes)


def labels_of(*planes) -> torch.Tensor:
    return torch.from_numpy(np.stack(planes).astype(np.int64))


def test_training_and_use_frame_alike():
    plane = heart()
    (learned,) = framed(labels_of(plane), 64)
    frame = ShapeFrame.of(plane, (1.0, 1.0))
    used = frame.maps(plane, 4, 64).argmax(axis=0)
    assert (learned.numpy() == used).mean() > 0.97
    for value in (1, 2, 3):
        both = ((learned.numpy() == value) & (used == value)).sum()
        assert 2 * both / ((learned.numpy() == value).sum() + (used == value).sum()) > 0.93


def test_a_frame_does_not_depend_on_place_and_size():
    plane = heart()
    moved = np.roll(plane, (7, -12), (0, 1))
    large = np.kron(plane, np.ones((2, 2), plane.dtype))
    first = framed(labels_of(plane), 48)[0]
    assert torch.equal(framed(labels_of(moved), 48)[0], first)
    assert (framed(labels_of(large), 48)[0] == first).float().mean() > 0.97


def test_a_moved_frame_moves_the_heart():
    plane = heart()
    torch.manual_seed(0)
    many = framed(labels_of(*[plane] * 20), 48, Unsteady(shift=0.1, zoom=0.2))
    assert len({tuple(one.flatten().tolist()) for one in many}) > 15
    sizes = (many > 0).flatten(1).sum(1).float()
    assert sizes.max() / sizes.min() > 1.2


def test_a_turned_frame_turns_the_heart_and_keeps_its_size():
    plane = np.zeros((120, 100), np.uint8)
    plane[50:70, 20:80] = 1  # lies across
    torch.manual_seed(0)
    many = framed(labels_of(*[plane] * 30), 96, Unsteady(turn=90.0)).numpy() > 0
    heights = [np.ptp(np.flatnonzero(one.any(axis=1))) for one in many]
    assert max(heights) > 2.2 * min(heights)
    assert np.ptp(many.sum(axis=(1, 2))) < 0.05 * many[0].sum()


def test_what_has_no_labels_is_background_of_the_whole_map():
    nothing = np.zeros((10, 20), np.uint8)
    unknown = np.full((10, 20), IGNORED, np.uint8)
    assert not framed(labels_of(nothing, unknown), 16)[0].any()
    assert one_hot(labels_of(unknown), 4)[:, 0].all()


def test_a_share_of_the_maps_is_spoilt_and_in_every_way():
    torch.manual_seed(0)
    whole = framed(labels_of(*[heart()] * 200), 64)
    found = spoilt(whole, 4, ShapeLearning(spoilt=0.5))
    changed = (found != whole).flatten(1).any(1)
    assert 0.35 < changed.float().mean() < 0.65
    assert torch.equal(spoilt(whole, 4, ShapeLearning(spoilt=0.0)), whole)
    still = {"spoilt": 1.0, "patches": 0, "cut": 0.0, "bent": 0.0, "lost": 0.0}
    assert torch.equal(spoilt(whole, 4, ShapeLearning(**still)), whole)
    for changes in ({"patches": 2}, {"cut": 1.0}, {"bent": 0.1}, {"lost": 1.0}):
        assert not torch.equal(spoilt(whole, 4, ShapeLearning(**{**still, **changes})), whole)
    lost = spoilt(whole, 4, ShapeLearning(**{**still, "lost": 1.0}))
    assert all(len(one.unique()) == 3 for one in lost)


def test_images_teach_nothing():
    losses = []
    for brightness in (0.0, 1.0):
        task, state = task_and_state(shapes_recipe())
        assert isinstance(state.objective, ShapeObjective)
        state.objective.network.train()
        batch = next(iter(task.order.batches(task.training, 0)))
        torch.manual_seed(0)
        told = step(task, state, dataclasses.replace(batch, images=torch.full_like(batch.images, brightness)))
        losses.append(float(told["loss"]))
        assert set(told) == {"loss", "segmentation", "divergence"}
    assert losses[0] == losses[1]


def test_a_few_steps_draw_shapes_better():
    task, state = task_and_state(shapes_recipe())
    before = validate(task, state)
    state.objective.network.train()
    for epoch in range(25):
        for batch in task.order.batches(task.training, epoch):
            step(task, state, batch)
    after = validate(task, state)
    assert sum(after.values()) > sum(before.values()) + 0.5


def run(path, *, resume=False, stop_after=None):
    path.mkdir(exist_ok=True)
    some, folder, data = shapes_recipe(), RunFolder(path), training_data(4, 2)

    def on_epoch(rows, is_best):
        if len(rows) == stop_after:
            raise KeyboardInterrupt

    checked = check_run(some, folder, data.split, student(some), resume=resume)
    return folder, train(checked, data, callbacks=RunCallbacks(on_epoch=on_epoch), hardware=Hardware("cpu"))


def test_an_interrupted_run_goes_on_bit_for_bit(tmp_path):
    whole, result = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken", stop_after=1)
    broken, again = run(tmp_path / "broken", resume=True)
    assert again == result
    assert broken.checkpoint.read_bytes() == whole.checkpoint.read_bytes()


def test_a_recipe_of_shapes_needs_a_network_that_codes_them():
    with pytest.raises(ConfigError, match="shapes are learned by shape-autoencoder"):
        recipe(shapes={})
    with pytest.raises(ConfigError, match="lie between 0 and 1"):
        shapes_recipe(shapes={"cut": 2.0})


def test_shapes_are_part_of_the_fingerprint():
    assert recipe().digest() != shapes_recipe().digest()
