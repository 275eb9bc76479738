import math

import numpy as np
import pytest

from cardiotrace.metrics import centreline_overlap, cldice, dice

SHAPE = (40, 100)


def band(thickness, *, gap=0):
    mask = np.zeros(SHAPE, bool)
    mask[20 - thickness // 2 : 20 + thickness // 2 + 1, 5:95] = True
    mask[:, 50 : 50 + gap] = False
    return mask


def test_thickness_does_not_matter_and_gaps_do():
    thin, thick = band(3), band(9)
    assert cldice(thick, thin) == 1.0
    assert dice(thick, thin) < 0.51
    broken = centreline_overlap(band(3, gap=20), thin)
    assert broken.precision == 1.0
    assert broken.sensitivity == pytest.approx(1 - 20 / 90, abs=0.01)
    assert broken.cldice == pytest.approx(2 * broken.sensitivity / (1 + broken.sensitivity))


def test_an_extra_branch_costs_precision():
    branched = band(3)
    branched[21:40, 30:33] = True
    found = centreline_overlap(branched, band(3))
    assert found.sensitivity == 1.0
    # 89 pixels along the band and 17 along the branch, of which one lies in the band.
    assert found.precision == pytest.approx(90 / 106)


def test_empty_masks():
    empty = np.zeros(SHAPE, bool)
    assert math.isnan(cldice(empty, empty))
    assert cldice(empty, band(3)) == cldice(band(3), empty) == 0.0
    assert cldice(band(3), np.roll(band(3), 12, axis=0)) == 0.0
