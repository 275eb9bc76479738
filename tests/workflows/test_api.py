"""The public names, as README and tutorial use them."""

import importlib
import json
import subprocess
import sys

import numpy as np
import pytest

import cardiotrace as ct
from tests.command import environment
from tests.fake.camus import write_camus
from tests.fake.models import write_camus_model


@pytest.mark.parametrize("name", [name for name in ct.__all__ if name != "__version__"])
def test_every_public_name_is_there_and_described(name):
    assert getattr(ct, name).__doc__


def test_no_public_name_hides_a_room():
    """`import cardiotrace.report` sets `cardiotrace.report`: a function of that name would come and go."""
    rooms = {"cli", "clinical", "core", "datasets", "evaluation", "geometry", "inference", "io", "learning", "phantoms"}
    rooms |= {"postprocessing", "preprocessing", "report", "workflows"}
    assert not rooms & set(ct.__all__)
    for room in sorted(rooms - {"learning"}):
        importlib.import_module(f"cardiotrace.{room}")
    assert callable(ct.segment)
    assert callable(ct.measure)


def test_the_package_itself_loads_nothing_heavy():
    code = "import sys, cardiotrace; print([name for name in ('numpy', 'scipy', 'torch') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'segmment'"):
        ct.segmment  # noqa: B018


def test_from_exam_to_report(tmp_path):
    write_camus(tmp_path / "camus", patients=1, views=("4CH",))
    model = write_camus_model(tmp_path / "tiny.onnx")
    exam = ct.read_exam(tmp_path / "camus" / "database_nifti" / "patient0001")
    labels = ct.segment(exam, str(model))
    traced = exam.distinct().images
    assert list(labels) == [image.name for image in traced]
    assert all(labels[image.name].array.shape == image.image.grid_shape for image in traced)
    measures = ct.measure(exam, labels)
    corrected = {
        name: ct.LabelMap(np.zeros_like(item.array), item.scheme, item.geometry) for name, item in labels.items()
    }
    assert ct.measure(exam, corrected).ejection_fraction_percent is None
    page = ct.write_report(exam, labels, measures, tmp_path / "out")
    assert page == tmp_path / "out" / "report.html"
    plain = json.loads((tmp_path / "out" / "measures.json").read_text())
    assert plain.pop("provenance")["models"][0]["name"] == "tiny"
    assert plain == measures.to_plain()
