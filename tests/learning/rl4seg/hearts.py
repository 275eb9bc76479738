"""Answers and those who judge them, for tests: a four-chamber view in classes of CAMUS, whole or spoilt."""

import dataclasses

import numpy as np

from cardiotrace.clinical.anatomy.criterion import Axis
from cardiotrace.clinical.anatomy.limits import preset
from cardiotrace.core.label import CAMUS
from cardiotrace.learning.rl4seg.answer import Anatomy
from cardiotrace.learning.rl4seg.shapes import ValidShapes
from tests.fake.correctors import heart, make_corrector

ANATOMY = Anatomy(CAMUS, Axis.LONG, preset("published"), is_upright=True)
LV, MYO, LA = 1, 2, 3


def whole() -> np.ndarray:
    """That passes the published criteria: the atrium is narrower at the base than that of `heart`."""
    classes = heart()
    rows, columns = np.mgrid[: classes.shape[0], : classes.shape[1]]
    classes[classes == LA] = 0
    classes[(((rows - 84) / 20) ** 2 + ((columns - 50) / 14) ** 2 < 1) & (rows >= 70)] = LA
    return classes


def pierced() -> np.ndarray:
    """With a hole of 6 x 8 pixels in the ventricle."""
    classes = whole()
    classes[42:48, 46:54] = 0
    return classes


def cut() -> np.ndarray:
    """Without the wall on the left, which no mending brings back."""
    classes = whole()
    left = classes[:, :50]
    left[left == MYO] = 0
    return classes


def shapes(*known: np.ndarray) -> ValidShapes:
    """Knows some planes as valid; the whole one where none are named."""
    return ValidShapes.of(make_corrector(*(known or (whole(),))), ANATOMY)


def loose() -> ValidShapes:
    """The same, for which no valid shape is near."""
    found = shapes()
    bank = dataclasses.replace(found.corrector.bank, lowest_dice=1.0)
    spec = dataclasses.replace(found.corrector.spec, corrects=bank)
    return dataclasses.replace(found, corrector=found.corrector.described_by(spec))
