"""A network that sees the slices beside a plane, from the recipe to labels."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tomli_w
import torch
from safetensors.torch import load_file

from cardiotrace.core.errors import InputError
from cardiotrace.inference.predictor import Predictor, open_predictor
from cardiotrace.learning.predict import TorchEngine, predict_planes
from cardiotrace.learning.training.run import trained_model
from cardiotrace.workflows import data_opener
from cardiotrace.workflows import train as training
from cardiotrace.workflows.configs import TrainConfig
from cardiotrace.workflows.train import TrainedModel, run_training, train_model
from tests.fake.acdc import write_acdc
from tests.fake.ted import FRAMES, write_ted
from tests.learning.training.tiny import RECIPE, SIDE


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("neighbours")
    write_acdc(folder / "acdc", training=4)
    return folder


def config(place: Path, out: str, *, resume: bool = False, **overrides: object) -> TrainConfig:
    path = place / "recipe.toml"
    about = {
        "neighbours": 1,
        "preprocessing": [{"name": "resize", "height": SIDE, "width": SIDE}, {"name": "z-score"}],
        "data": {"dataset": "acdc", "split": "k-fold", "folds": 3},
        "training": {**RECIPE["training"], "epochs": 2},
        "augmentation": {"rotation_degrees": {"probability": 0.9, "low": -20, "high": 20}},
    }
    path.write_text(tomli_w.dumps(RECIPE | about))
    return TrainConfig(
        recipe=path,
        data=place / "acdc",
        out=place / out,
        resume=resume,
        overrides=overrides,
        cache=place / "cache",
        accelerator="cpu",
    )


@pytest.fixture(scope="module")
def trained(place: Path) -> TrainedModel:
    made = train_model(config(place, "whole"))
    assert made is not None
    return made


def test_the_sealed_model_says_what_it_sees(trained: TrainedModel) -> None:
    spec = open_predictor(trained.path).spec
    assert (spec.neighbours, spec.channels, spec.dimensions) == (1, 3, 2)
    assert spec.training.recipe["neighbours"] == 1
    seen = trained_model(trained.run.recipe, trained.run.folder, channels=1, classes=4)
    assert next(seen.parameters()).shape[1] == 3


def test_it_segments_as_the_network_that_was_trained(trained: TrainedModel) -> None:
    run = trained.run
    network = trained_model(run.recipe, run.folder, channels=1, classes=4)
    sealed = open_predictor(trained.path)
    direct = Predictor(sealed.spec, TorchEngine(network))
    image = run.dataset.cases()[0].read_image()
    assert image.grid_shape[1] > 2
    mine = sealed.segment(image, keep_probabilities=True).probabilities
    theirs = direct.segment(image, keep_probabilities=True).probabilities
    assert mine is not None
    assert theirs is not None
    for structure, probability in mine.items():
        np.testing.assert_allclose(probability, theirs[structure], atol=0.02)  # weights are halved in the file


def test_use_prepares_slices_as_training_did(trained: TrainedModel) -> None:
    """On the network's own grid, from the packed cache and from the file."""
    run = trained.run
    network = trained_model(run.recipe, run.folder, channels=1, classes=4)
    case = run.dataset.cases()[0]
    indices = np.flatnonzero([sample.case == case.name for sample in run.packed.samples])
    packed = predict_planes(network, run.packed, indices, run.recipe.preprocessing, neighbours=1)
    predictor = Predictor(trained.spec, TorchEngine(network))
    task = predictor._task(case.read_image(), test_time_augmentation=False, keep_probabilities=False)
    prepared = predictor._preparation(task, at_once=1)
    with torch.inference_mode():
        seen = torch.from_numpy(np.stack([prepared((0, depth)) for depth in range(len(indices))]))
        used = network(seen).argmax(1).numpy()
    assert (used == packed).mean() > 0.999  # 16 bits of the cache against the file's own values


def test_a_run_that_was_stopped_ends_to_the_bit(place: Path, trained: TrainedModel, monkeypatch) -> None:
    finish = training.EpochReport.__call__

    def stop(self, rows, is_best):
        finish(self, rows, is_best)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(training.EpochReport, "__call__", stop)
        with pytest.raises(KeyboardInterrupt):
            run_training(config(place, "broken"))
    resumed = run_training(config(place, "broken", resume=True))
    assert resumed is not None
    mine, theirs = load_file(resumed.folder.best), load_file(trained.run.folder.best)
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_it_teaches_only_a_student_that_sees_the_same(place: Path, trained: TrainedModel) -> None:
    taught = {"distillation.teachers": [str(trained.path)], "training.epochs": 1}
    assert run_training(config(place, "taught", **taught)) is not None
    with pytest.raises(InputError, match="sees 1 slices on each side of a plane, the student 0 slices"):
        run_training(config(place, "alone", neighbours=0, **taught))


def test_images_in_colour_are_refused_before_anything_is_packed(place: Path, monkeypatch) -> None:
    monkeypatch.setattr(data_opener, "pack", lambda *_, **__: pytest.fail("packed"))
    fundus = {"data.dataset": {"name": "phantom", "kind": "fundus", "count": 6}}
    with pytest.raises(InputError, match="neighbours = 1 is for grey planes, and these images have 3") as caught:
        run_training(config(place, "coloured", **fundus))
    assert caught.value.remedy == "set neighbours = 0."
    assert not (place / "coloured").exists()


@pytest.fixture(scope="module")
def of_films(place: Path) -> TrainedModel:
    write_ted(place / "ted")
    films = {"data.dataset": "ted", "neighbours": 2, "neighbours_of": "frames", "training.epochs": 1}
    made = train_model(dataclasses.replace(config(place, "films", **films), data=place / "ted"))
    assert made is not None
    return made


def test_a_model_of_films_says_what_it_sees_and_segments_as_it_was_trained(of_films: TrainedModel) -> None:
    run, sealed = of_films.run, open_predictor(of_films.path)
    assert (sealed.spec.neighbours, sealed.spec.neighbours_of, sealed.spec.channels) == (2, "frames", 5)
    network = trained_model(run.recipe, run.folder, channels=1, classes=3)
    case = run.dataset.cases()[0]
    indices = np.flatnonzero([sample.case == case.name for sample in run.packed.samples])
    seen = {"neighbours": 2, "neighbours_of": "frames"}
    packed = predict_planes(network, run.packed, indices, run.recipe.preprocessing, **seen)
    predictor = Predictor(sealed.spec, TorchEngine(network))
    task = predictor._task(case.read_image(), test_time_augmentation=False, keep_probabilities=False)
    prepared = predictor._preparation(task, at_once=1)
    with torch.inference_mode():
        used = network(torch.from_numpy(np.stack([prepared((time, 0)) for time in range(FRAMES)]))).argmax(1).numpy()
    assert (used == packed).mean() > 0.999
    mine, theirs = (each.segment(case.read_image(), keep_probabilities=True) for each in (sealed, predictor))
    assert mine.probabilities is not None
    assert theirs.probabilities is not None
    for structure, probability in mine.probabilities.items():
        np.testing.assert_allclose(probability, theirs.probabilities[structure], atol=0.02)


def test_frames_are_asked_of_films_alone(place: Path) -> None:
    with pytest.raises(InputError, match="no case has more than one frame"):
        run_training(config(place, "stills", neighbours_of="frames"))
