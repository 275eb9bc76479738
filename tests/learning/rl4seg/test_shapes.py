"""What the autoencoder says of answers, the limits that references keep, and the reward of the annulus."""

import dataclasses

import numpy as np
import pytest

from cardiotrace.clinical.anatomy.criterion import Axis
from cardiotrace.core.errors import InputError
from cardiotrace.core.label import ACDC, MNMS
from cardiotrace.core.terms import View
from cardiotrace.learning.rl4seg.answer import Anatomy
from cardiotrace.learning.rl4seg.shapes import (
    AnnulusShift,
    ShapeLimits,
    ValidShapes,
    annulus_reward,
    fitted_limits,
)
from tests.fake.correctors import make_corrector
from tests.learning.rl4seg.hearts import ANATOMY, LV, loose, pierced, shapes, whole


def test_what_it_draws_as_it_is_agrees_and_what_is_spoilt_agrees_less():
    known = shapes()
    assert known.agreement(whole(), None) > 0.9
    torn = whole()
    torn[::2, ::3] = 0  # finer than its grid
    assert known.agreement(torn, None) < known.agreement(whole(), None) - 0.05


def test_a_pierced_heart_is_corrected_to_a_valid_one_nearby():
    corrected = shapes().corrected(pierced(), None)
    assert ANATOMY.is_valid(corrected, None)
    assert np.count_nonzero(corrected != whole()) < 0.1 * np.count_nonzero(whole())
    assert (corrected[42:48, 46:54] == LV).all()


def test_nothing_is_taken_where_nothing_is_near_or_labelled():
    assert loose().corrected(pierced(), None) is None
    assert shapes().corrected(np.zeros((40, 40), np.uint8), None) is None


def test_other_values_of_the_same_structures_are_the_same():
    # M&Ms numbers the structures of ACDC the other way round.
    corrector = make_corrector(scheme=MNMS, view=View.SAX)
    anatomy = Anatomy(ACDC, Axis.SHORT, ANATOMY.limits, is_upright=False)
    known = ValidShapes.of(corrector, anatomy)
    plane = np.zeros((40, 40), np.uint8)
    plane[10:30, 14:34], plane[14:26, 18:30], plane[12:28, 6:14] = 2, 3, 1
    assert known.agreement(plane, None) > 0.9


def test_a_corrector_of_other_structures_or_another_axis_is_refused_in_one_line():
    with pytest.raises(InputError, match="knows shapes of LV, MYO, LA, and the data label RV, MYO, LV") as caught:
        ValidShapes.of(make_corrector(), dataclasses.replace(ANATOMY, scheme=ACDC))
    assert "\n" not in caught.value.what
    with pytest.raises(InputError, match="shapes of long axes, and the data show short axes"):
        ValidShapes.of(make_corrector(), dataclasses.replace(ANATOMY, axis=Axis.SHORT))


def test_limits_are_those_that_the_references_keep():
    known, references = shapes(), [(whole(), None)] * 6
    limits = fitted_limits(known, references, agreement=None)
    assert limits.agreement == pytest.approx(known.agreement(whole(), None))
    shift = known.annulus_shift(whole(), None)
    assert limits.annulus_share == pytest.approx(shift.shares.max(), abs=1e-6)
    shape = whole().shape
    assert float(annulus_reward(shift, limits, shape, None).min()) == 1  # so that a reference is not punished
    assert fitted_limits(known, references, agreement=0.95).agreement == 0.95


def test_too_few_references_are_refused():
    empty = np.zeros((40, 40), np.uint8)
    with pytest.raises(InputError, match="5 references of the source or more, got 4"):
        fitted_limits(shapes(), [*[(whole(), None)] * 4, (empty, None)], agreement=None)


def test_only_the_way_of_the_point_that_lies_off_is_lowered():
    shift = AnnulusShift(np.array([[30.0, 10.0], [30.0, 50.0]]), np.array([[30.0, 10.5], [30.0, 42.0]]), 60.0)
    reward = annulus_reward(shift, ShapeLimits(0.9, 0.05), (60, 60), None)
    assert reward[30, 42:51] == pytest.approx(0)
    assert reward[30, 10] == pytest.approx(1)
    assert reward[30 + 3, 46] == pytest.approx(1 - np.exp(-((3 / 1.5) ** 2) / 2))  # blurred by half the limit, 3 pixels


def test_nothing_is_said_where_there_is_no_annulus_or_no_limit():
    shift = AnnulusShift(np.zeros((2, 2)), np.full((2, 2), 9.0), 10.0)
    for given, limit in ((None, 0.1), (shift, None)):
        assert float(annulus_reward(given, ShapeLimits(0.9, limit), (8, 8), None).min()) == 1
