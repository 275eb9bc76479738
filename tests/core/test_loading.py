"""The collector rests while modules are loaded, and no longer."""

import gc

import pytest

from cardiotrace.core.loading import loading


def test_it_goes_on_afterwards_also_after_an_error():
    states = []

    def load():
        with loading():
            states.append(gc.isenabled())
            raise ModuleNotFoundError

    with pytest.raises(ModuleNotFoundError):
        load()
    assert states == [False]
    assert gc.isenabled()


def test_one_within_another_ends_nothing_and_who_turned_it_off_finds_it_so():
    with loading():
        with loading():
            pass
        assert not gc.isenabled()
    gc.disable()
    try:
        with loading():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
