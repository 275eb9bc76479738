import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.contract import CONTRACTS, MEASURES, RESULTS, Contract
from cardiotrace.core.errors import InputError, ModelFileError

NUMBER = Contract("box", "box.json", 3, "pack", "unpack", oldest=2)
TEXT = Contract("box", "box.json", 3, "pack", "unpack", key="format", words="box of ")
VALUES = st.dictionaries(st.text().filter(lambda key: key not in ("version", "format")), st.integers())


@given(VALUES)
def test_what_is_stamped_is_read_as_it_was(values):
    for contract in (NUMBER, TEXT):
        assert contract.read(contract.stamp(values)) == values


@given(VALUES, st.integers(4, 10**8))
def test_every_newer_version_is_refused_whatever_the_file_holds(values, version):
    for contract, stated in ((NUMBER, version), (TEXT, f"box of {version}")):
        with pytest.raises(InputError, match=f"newer CardioTrace: file format {version}, this program reads up to 3"):
            contract.read({**values, contract.key: stated})


def test_a_refusal_is_one_sentence_with_the_place_and_a_way_out():
    with pytest.raises(ModelFileError) as caught:
        NUMBER.read({"version": 4}, where=Path("a/box.json"), kind=ModelFileError)
    assert str(caught.value) == (
        "a/box.json: this box was written by a newer CardioTrace: file format 4, this program reads up to 3\n"
        "update CardioTrace, or write it again with this one."
    )


def test_a_file_without_a_version_is_the_first_version():
    assert TEXT.version_of({"weight": 1}) == 1
    with pytest.raises(InputError, match="older CardioTrace: file format 1, this program reads from 2 on"):
        NUMBER.read({"weight": 1})
    assert NUMBER.version_of({"version": 2}) == 2


@pytest.mark.parametrize("stated", [0, -1, True, 2.0, None, "2", [2], "", {}])
def test_a_version_that_is_no_number_is_told_as_it_stands(stated):
    with pytest.raises(InputError, match=re.escape(f"states no version that is known: {stated!r}")):
        NUMBER.read({"version": stated})


@pytest.mark.parametrize(
    "stated", [3, "3", "box of", "box of 0", "box of -1", "box of 3 ", "Box of 3", "box of " + "9" * 10]
)
def test_a_version_in_words_needs_its_very_words(stated):
    with pytest.raises(InputError, match="states no version that is known"):
        TEXT.read({"format": stated})


@pytest.mark.parametrize("values", [[], [1], "text", 5, None])
def test_what_is_no_table_is_no_such_file(values):
    with pytest.raises(InputError, match="is no box"):
        NUMBER.read(values)
    NUMBER.refuse_newer(values)


def test_a_version_of_thousands_of_digits_is_newer():
    with pytest.raises(InputError, match="file format a number of thousands of digits, this program"):
        NUMBER.read({"version": int("9" * 4000) ** 2})


def test_files_state_their_versions_as_they_always_did():
    assert MEASURES.mark == {"version": "3"}
    assert RESULTS.mark == {"format": "cardiotrace results 1"}


def test_contracts_are_told_apart_and_complete():
    assert len({contract.name for contract in CONTRACTS}) == len(CONTRACTS) == 20
    for contract in CONTRACTS:
        assert 1 <= contract.oldest <= contract.version
        assert all(getattr(contract, item.name) for item in dataclasses.fields(Contract) if item.name != "words")
