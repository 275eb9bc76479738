"""Photographs of the retina, whose vessels branch by Murray's law."""

from cardiotrace.phantoms.fundus.camera import CAMERAS
from cardiotrace.phantoms.fundus.phantom import FundusPhantom, sample_fundus
from cardiotrace.phantoms.fundus.photograph import FundusPicture, FundusTruth, fundus_picture

__all__ = ["CAMERAS", "FundusPhantom", "FundusPicture", "FundusTruth", "fundus_picture", "sample_fundus"]
