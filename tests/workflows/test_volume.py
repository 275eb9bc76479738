"""Networks of volumes from a recipe to a sealed model that segments a stack, on phantom hearts."""

import dataclasses

import numpy as np
import pytest
import tomli_w
import torch
from safetensors.torch import load_file

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError
from cardiotrace.inference.predictor import open_predictor
from cardiotrace.learning.training.recipe import read_recipe
from cardiotrace.workflows.configs import TrainConfig
from cardiotrace.workflows.services.dataset import open_dataset
from cardiotrace.workflows.train import run_training, train_model
from tests.workflows.test_train import Stopping

PHANTOMS = {"name": "phantom", "kind": "cmr", "count": 4, "seed": 3, "frame_count": 12}
RECIPE = {
    "name": "volumes",
    "seed": 2,
    "architecture": {
        "name": "nnunet3d",
        "kernels": [[1, 3, 3], [3, 3, 3], [3, 3, 3]],
        "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2]],
        "widths": [8, 12, 16],
    },
    "optimiser": {"name": "adam", "learning_rate": 1e-2},
    "schedule": "constant",
    "preprocessing": [
        {"name": "resample", "height_mm": 3.6, "width_mm": 3.6},
        {"name": "crop-or-pad", "height": 64, "width": 64},
        {"name": "z-score"},
    ],
    "data": {"dataset": PHANTOMS, "split": "k-fold", "folds": 4},
    "training": {
        "epochs": 10,
        "steps_per_epoch": 3,
        "batch_size": 2,
        "crop": [4, 32, 32],
        "foreground": 0.5,
        "precision": "float32",
    },
    "augmentation": {"rotation_degrees": {"probability": 0.5, "low": -30, "high": 30}},
}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """Rendered once for all of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARDIOTRACE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def config(place, out="run", *, resume=False, recipe=RECIPE, **overrides):
    path = place / "recipe.toml"
    path.write_text(tomli_w.dumps(recipe))
    return TrainConfig(recipe=path, out=place / out, resume=resume, overrides=overrides, accelerator="cpu")


def stack():
    """A heart that none of them learned from, at end-diastole, with its labels."""
    options = {key: value for key, value in PHANTOMS.items() if key != "name"}
    case = open_dataset(Choice("phantom", options | {"seed": 9, "count": 1}), None).cases()[0]
    return case.read_image(), case.read_labels()


@pytest.mark.slow
def test_a_network_of_volumes_is_trained_sealed_and_segments_a_stack(tmp_path):
    made = train_model(config(tmp_path))
    spec = made.spec
    assert (spec.dimensions, spec.window) == (3, (4, 32, 32))
    assert len(made.validation.rows) > 0
    image, reference = stack()
    predictor = open_predictor(made.path)
    found = predictor.segment(image)
    assert found.labels.array.shape == image.grid_shape
    assert found.labels.geometry == image.geometry
    heart = found.labels.array > 0
    truth = reference.array > 0
    # Thirty steps on two hearts: far from good, and several times what as many voxels anywhere would give (0.04).
    assert 2 * (heart & truth).sum() / (heart.sum() + truth.sum()) > 0.15
    # More slices than the window has, each of which is seen; mirrored in plane where that is asked for.
    assert image.grid_shape[1] > spec.window[0]
    averaged = predictor.segment(image, test_time_augmentation=True).labels
    assert 0.8 < (averaged.array == found.labels.array).mean() < 1
    alone = dataclasses.replace(image, frames=image.frames[:, :2])
    assert predictor.segment(alone).labels.array.shape == alone.grid_shape


@pytest.mark.slow
def test_a_run_that_was_interrupted_ends_to_the_bit_as_one_that_was_not(tmp_path):
    short = {"training.epochs": 3, "training.steps_per_epoch": 2}
    straight = run_training(config(tmp_path, "straight", **short)).folder

    with pytest.raises(KeyboardInterrupt):
        run_training(config(tmp_path, "broken", **short), Stopping(after=1))
    broken = run_training(config(tmp_path, "broken", resume=True, **short)).folder
    ends = [load_file(folder.checkpoint) for folder in (straight, broken)]
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(ends[0][key], ends[1][key]) for key in ends[0])


@pytest.mark.slow
def test_a_recurrent_network_reads_as_many_slices_as_the_deepest_stack_has(tmp_path):
    recipe = RECIPE | {
        "architecture": {"name": "recurrent-unet", "width": 8, "widest": 16, "levels": 2},
        "training": {"epochs": 1, "steps_per_epoch": 2, "batch_size": 2, "precision": "float32"},
    }
    made = train_model(config(tmp_path, recipe=recipe))
    deepest = made.run.packed.labels.shape[1]
    assert made.spec.window == (deepest, 64, 64)
    image, _ = stack()
    twice = dataclasses.replace(image, frames=np.concatenate([image.frames] * 2, axis=1))
    assert open_predictor(made.path).segment(twice).labels.array.shape == twice.grid_shape


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training.crop": [32, 32]}, "training.crop has 2 sides, and nnunet3d sees volumes"),
        ({"training.crop": [3, 32, 32]}, "training.crop: images of 3x32x32 do not fit"),
        ({"architecture": "unet1"}, "training.crop has 3 sides, and unet1 sees planes"),
        ({"training.foreground": 1.5}, "foreground is a share of the batch"),
        ({"data.pseudo_labels": {"teacher": "a"}}, "pseudo_labels are made of planes, and nnunet3d sees volumes"),
        ({"preprocessing.1.height": 62}, "preprocessing: images of 62x64 do not fit"),
    ],
)
def test_mistakes_are_told_before_anything_is_packed(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        read_recipe(config(tmp_path).recipe, changes)
