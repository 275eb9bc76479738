"""Photographs of the retina, whose vessels branch by Murray's law."""

from cardiotrace.phantoms.fundus.camera import CAMERAS
from cardiotrace.phantoms.fundus.phantom import FundusPhantom, sample_fundus
from cardiotrace.phantoms.fundus.photograph import FundusImage, FundusTruth, fundus_image

__all__ = ["CAMERAS", "FundusImage", "FundusPhantom", "FundusTruth", "fundus_image", "sample_fundus"]
