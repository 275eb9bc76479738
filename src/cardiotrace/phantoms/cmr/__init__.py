"""Cine-MRI of the heart and the chest around it: relaxation, k-space, flow, breath."""

from cardiotrace.phantoms.cmr.exam import CmrExam, cmr_exam
from cardiotrace.phantoms.cmr.layout import Layout
from cardiotrace.phantoms.cmr.phantom import CmrPhantom, sample_cmr
from cardiotrace.phantoms.cmr.truth import CmrTruth

__all__ = ["CmrExam", "CmrPhantom", "CmrTruth", "Layout", "cmr_exam", "sample_cmr"]
