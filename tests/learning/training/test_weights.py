"""Weights that are put into a network as far as they fit."""

import pytest
import torch
from torch import nn

from cardiotrace.core.errors import InputError
from cardiotrace.learning.training.weights import Differences, follow, load_fitting_weights, load_weights, save_weights


def network(classes=4, *, extra=False, seed=0):
    torch.manual_seed(seed)
    parts = {"encoder": nn.Conv2d(1, 8, 3), "head": nn.Conv2d(8, classes, 1)}
    return nn.ModuleDict({**parts, "extra": nn.Conv2d(8, 8, 1)} if extra else parts)


@pytest.fixture
def path(tmp_path):
    save_weights(dict(network(seed=1).state_dict()), tmp_path / "best.safetensors")
    return tmp_path / "best.safetensors"


def test_another_number_of_classes_leaves_the_head_as_it_was_drawn(path):
    taken, fresh, source = network(2), network(2), network(seed=1)
    said = load_fitting_weights(taken, path)
    assert torch.equal(taken["encoder"].weight, source["encoder"].weight)
    assert torch.equal(taken["encoder"].bias, source["encoder"].bias)
    assert torch.equal(taken["head"].weight, fresh["head"].weight)
    assert said == ("2 of 4 weights were taken; left out: head.bias, head.weight; drawn anew: head.weight, head.bias")


def test_a_part_that_the_file_lacks_is_told(path):
    said = load_fitting_weights(network(extra=True), path)
    assert said == "4 of 4 weights were taken; drawn anew: extra.weight, extra.bias"


def test_a_part_that_only_the_file_has_is_told(tmp_path):
    save_weights(dict(network(extra=True).state_dict()), tmp_path / "more.safetensors")
    said = load_fitting_weights(network(), tmp_path / "more.safetensors")
    assert said == "4 of 6 weights were taken; left out: extra.bias, extra.weight"


def test_where_all_fits_there_is_nothing_to_tell(path):
    taken = network()
    assert load_fitting_weights(taken, path) == ""
    assert all(torch.equal(value, network(seed=1).state_dict()[name]) for name, value in taken.state_dict().items())


def test_weights_of_which_none_fits_are_refused(path):
    with pytest.raises(InputError, match=r"none of its weights fits the network: 2 missing, such as 0.weight"):
        load_fitting_weights(nn.Sequential(nn.Linear(3, 3)), path)


def test_strict_loading_names_each_kind_of_difference(path):
    with pytest.raises(InputError, match=r"2 missing, such as extra.weight; 2 of another shape, such as head.weight"):
        load_weights(network(2, extra=True), path)
    assert Differences.between(network(), dict(network(3).state_dict())).reshaped == ("head.weight", "head.bias")


@pytest.mark.parametrize("load", [load_weights, load_fitting_weights])
def test_a_damaged_file_is_refused_and_changes_nothing(load, path):
    path.write_bytes(path.read_bytes()[:-10])
    some = network()
    with pytest.raises(InputError, match="these weights cannot be read"):
        load(some, path)
    assert torch.equal(some["head"].weight, network()["head"].weight)


def test_an_average_follows_slowly_once_it_is_old_and_whole_numbers_are_taken_over():
    average = {"weight": torch.zeros(2), "count": torch.tensor(3)}
    weights = {"weight": torch.ones(2), "count": torch.tensor(7)}
    follow(average, weights, decay=0.99, step=0)
    assert average["weight"].tolist() == pytest.approx([0.9, 0.9])  # young: a tenth of it stays
    average["weight"].zero_()
    follow(average, weights, decay=0.99, step=10**6)
    assert average["weight"].tolist() == pytest.approx([0.01, 0.01])
    assert int(average["count"]) == 7
