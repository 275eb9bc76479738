"""CardioTrace: trace the chambers of the heart in echo and cine-MRI, and measure what the traces mean.

    import cardiotrace as ct
    exam = ct.read_exam("patient0001/")
    labels = ct.segment(exam)
    measures = ct.measure(exam, labels)
    ct.write_report(exam, labels, measures, "out/patient0001")

Names are loaded when first used, so that `import cardiotrace` is quick.
"""

import logging
from typing import TYPE_CHECKING

from cardiotrace.core.lazy import lazy_names

__version__ = "0.1.0.dev0"

if TYPE_CHECKING:
    from cardiotrace import metrics as metrics
    from cardiotrace.clinical import Measures as Measures
    from cardiotrace.core.errors import CardioTraceError as CardioTraceError
    from cardiotrace.core.exam import Case as Case
    from cardiotrace.core.exam import Exam as Exam
    from cardiotrace.core.flag import Flag as Flag
    from cardiotrace.core.flag import Grade as Grade
    from cardiotrace.core.geometry import Geometry as Geometry
    from cardiotrace.core.image import Image as Image
    from cardiotrace.core.label import LabelMap as LabelMap
    from cardiotrace.core.label import LabelScheme as LabelScheme
    from cardiotrace.core.terms import Modality as Modality
    from cardiotrace.core.terms import Phase as Phase
    from cardiotrace.core.terms import Structure as Structure
    from cardiotrace.core.terms import View as View
    from cardiotrace.datasets.exam_discovery import read_exam as read_exam
    from cardiotrace.inference import Predictor as Predictor
    from cardiotrace.inference import load_model as load_model
    from cardiotrace.io import read_image as read_image
    from cardiotrace.io import read_labels as read_labels
    from cardiotrace.io import write_image as write_image
    from cardiotrace.io import write_labels as write_labels
    from cardiotrace.workflows.api import measure as measure
    from cardiotrace.workflows.api import segment as segment
    from cardiotrace.workflows.api import write_report as write_report

_PLACES = {
    "Case": "core.exam",
    "CardioTraceError": "core.errors",
    "Exam": "core.exam",
    "Flag": "core.flag",
    "Geometry": "core.geometry",
    "Grade": "core.flag",
    "Image": "core.image",
    "LabelMap": "core.label",
    "LabelScheme": "core.label",
    "Measures": "clinical",
    "Modality": "core.terms",
    "Phase": "core.terms",
    "Predictor": "inference",
    "Structure": "core.terms",
    "View": "core.terms",
    "load_model": "inference",
    "measure": "workflows.api",
    "metrics": "",
    "read_exam": "datasets.exam_discovery",
    "read_image": "io",
    "read_labels": "io",
    "segment": "workflows.api",
    "write_image": "io",
    "write_labels": "io",
    "write_report": "workflows.api",
}
__all__ = ["__version__", *sorted(_PLACES)]
__getattr__, __dir__ = lazy_names(__name__, _PLACES)
logging.getLogger(__name__).addHandler(logging.NullHandler())  # quiet unless whoever uses the package asks
