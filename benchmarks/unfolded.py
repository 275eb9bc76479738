"""The network of an exported model as a run folder that another training can start from, and who that may test.

    python -m benchmarks.unfolded runs/retina/fold-1/model.onnx start-1 --data PATH --fold 1

An export folds norms into the convolutions before them, so that what is found is the same network without norms. PATH
holds CHASE_DB1 in `chase` and DRIVE in `drive`; whoever the model was tested on in CHASE_DB1 stays in the testing part
of the splits that are written for the recipes that go on from it, with the same fold of DRIVE's photographs.
"""

import argparse
import re
from dataclasses import replace
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from cardiotrace.core.catalog import Choice
from cardiotrace.core.contract import ENVIRONMENT
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.split import Split, fold_seed, k_folds, patient_groups, write_split
from cardiotrace.inference.model_file import read_model
from cardiotrace.io import write_json, write_text
from cardiotrace.learning.models.catalog import make_network
from cardiotrace.learning.models.network import NetworkSpec
from cardiotrace.learning.training.environment import environment
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import Recipe, read_recipe, recipe_from_plain, recipe_text
from cardiotrace.learning.training.weights import Weights, save_weights

RECIPES = Path(__file__).parents[1] / "recipes"
ROUNDS = ("retina-cameras-first", "retina-cameras")
"""Recipes that go on from it, one after the other."""
_SECOND = re.compile(r"((?:en|de)coder\.\d+)\.3\.")
"""The second convolution of a pair, behind a norm and an activation."""


def without_norms(recipe: Recipe) -> Recipe:
    """The recipe with the network that its export is."""
    options = {**recipe.architecture.options, "norm": "none"}
    return replace(recipe, architecture=Choice(recipe.architecture.name, options))


def weights_of(graph: bytes, recipe: Recipe) -> Weights:
    """Weights by the names of the network without norms, as far as they were kept: to 11 bits.

    Raises:
        RuntimeError: the graph is of another network.
    """
    stored = onnx.load_from_string(graph).graph.initializer
    found = {each.name.removesuffix(".half"): torch.tensor(numpy_helper.to_array(each)).float() for each in stored}
    network = make_network(recipe.architecture, NetworkSpec(3, 2))
    named = {_SECOND.sub(r"\1.2.", name): weights for name, weights in found.items()}
    network.load_state_dict({name: named[name] for name in network.state_dict() if name in named})
    return network.state_dict()


def split_of_fold(data: Path, further: Recipe, trained: Recipe, fold: int) -> Split:
    """One fold of both data sets; all phantoms are learned from."""
    told = further.data
    cases = DATASETS.make(told.dataset, data).cases()
    seed, parts = fold_seed(trained.data.seed, trained.seed), []
    for name in ("chase", "drive"):
        people = patient_groups(case for case in cases if case.groups["dataset"] == name)
        parts.append(k_folds(people, folds=told.folds, seed=seed)[fold - 1])
    testing = tuple(name for part in parts for name in part.testing)
    return Split(tuple(sorted({case.patient for case in cases} - set(testing))), testing=testing)


def main() -> None:
    """Write the run folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fold", type=int, required=True)
    options = parser.parse_args()
    model, folder = read_model(options.model), RunFolder(options.out)
    trained = recipe_from_plain(dict(model.spec.training.recipe))
    unfolded = without_norms(trained)
    folder.path.mkdir(parents=True)
    save_weights(weights_of(model.graph(), unfolded), folder.best)
    write_text(folder.recipe, recipe_text(unfolded))
    terms = {"licence": model.spec.licence, "citation": model.spec.citation}
    write_json(folder.environment, ENVIRONMENT.stamp({**environment(trained.seed), "terms": terms}))
    for name in ROUNDS:
        further = read_recipe(RECIPES / f"{name}.toml")
        write_split(split_of_fold(options.data, further, trained, options.fold), folder.path / f"{name}.json")


if __name__ == "__main__":
    main()
