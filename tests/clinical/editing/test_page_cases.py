import json

import numpy as np

from tests.clinical.editing.page_cases import PATH, cases


def leaves(value):
    """All that a value is made of, in order: names as they are, numbers as numbers."""
    if isinstance(value, dict):
        return [item for key in value for item in (key, *leaves(value[key]))]
    return [item for each in value for item in leaves(each)] if isinstance(value, list) else [value]


def test_the_page_is_tested_against_what_this_program_says():
    """Where it fails: `python -m tests.clinical.editing.page_cases`, then the tests of the page."""
    told, now = leaves(json.loads(PATH.read_text(encoding="utf-8"))), leaves(json.loads(json.dumps(cases())))
    words = [[item for item in found if isinstance(item, str)] for found in (told, now)]
    numbers = [np.array([item for item in found if not isinstance(item, str)], float) for found in (told, now)]
    assert words[0] == words[1]
    assert numbers[0].shape == numbers[1].shape
    assert np.abs(numbers[0] - numbers[1]).max() < 1e-5
