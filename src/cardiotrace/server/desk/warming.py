"""What a process loads before anybody asks, while files travel or a page opens."""

import gc
from collections.abc import Mapping
from typing import Any

import numpy as np

from cardiotrace.core.loading import loading
from cardiotrace.core.reporter import ProgressReporter


def warm(params: Mapping[str, Any], _: ProgressReporter) -> None:
    """Load what reads, traces, measures and draws, and the model that the server was started with.

    Args:
        params: `model`, a name, or None where the images are to choose: theirs is loaded with the first of them.

    Raises:
        InputError: there is no model of the name, or its file is damaged.
    """
    with loading():
        from cardiotrace.geometry.component import fill_holes
        from cardiotrace.geometry.contour import contours
        from cardiotrace.report import overlay  # noqa: F401 -- what draws the small picture of an exam
        from cardiotrace.server.desk import opened  # noqa: F401 -- what corrects
        from cardiotrace.server.work import analysis

        analysis.analyser(params["model"])
        for load in (fill_holes, contours):  # their libraries come with the first mask
            load(np.ones((2, 2), bool))
    gc.freeze()  # what was loaded stays: no collection needs to look through it
