"""What is opened once stays open, and goes empty to another process."""

import pickle

import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.learning.training.recipe import Recipe, recipe_from_plain
from cardiotrace.workflows import data_opener as module
from cardiotrace.workflows.data_opener import DataOpener
from tests.fake.camus import write_camus

CHOICE = Choice("camus", {"views": ["4CH"]})


def recipe(side: int, intensities: str) -> Recipe:
    """One that prepares images to a side."""
    preprocessing = [{"name": "resize", "height": side, "width": side}, {"name": intensities}]
    data = {"dataset": {"name": "camus", "views": ["4CH"]}}
    return recipe_from_plain({"name": "a", "data": data, "architecture": "unet-small", "preprocessing": preprocessing})


@pytest.fixture
def opener(tmp_path, monkeypatch):
    """Counts in `opened` how often a cache is opened, and with it hashed."""
    write_camus(tmp_path / "camus", patients=1, views=("4CH",))
    opened, original = [], module.pack
    monkeypatch.setattr(module, "pack", lambda *words, **more: opened.append(1) or original(*words, **more))
    return DataOpener(tmp_path / "camus", tmp_path / "cache"), opened


def test_a_cache_is_hashed_once_for_all_recipes_that_share_it(opener):
    opener, opened = opener
    first = opener.packed(recipe(32, "z-score"))
    assert opener.packed(recipe(32, "min-max")) is first
    assert len(opened) == 1
    assert opener.packed(recipe(64, "z-score")).images.shape[2:] == (64, 64)
    assert len(opened) == 2
    assert opener.dataset(CHOICE) is opener.dataset(CHOICE)


def test_another_process_opens_for_itself(opener):
    opener, opened = opener
    packed = opener.packed(recipe(64, "z-score"))
    sent = pickle.dumps(opener)
    assert len(sent) < 1000 < packed.images.nbytes
    again = pickle.loads(sent)
    assert (again, again.root, again.cache) == (opener, opener.root, opener.cache)
    assert (again.packed(recipe(64, "z-score")).images == packed.images).all()
    assert len(opened) == 2
