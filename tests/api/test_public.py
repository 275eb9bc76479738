"""What is public stands in one place, is there, and changes only on purpose."""

import importlib
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

import cardiotrace
from cardiotrace.clinical import Measures, Quantity
from cardiotrace.clinical.method import Method
from cardiotrace.core.deprecation import warn_renamed
from cardiotrace.core.public import ENTRY_POINTS, FUNCTIONS, PACKAGES
from tests.api import snapshot

ROOT = Path(__file__).parents[2]
EF = Quantity("left_ventricular_ejection_fraction", 58.0, "percent", Method.SUM_OF_SLICES, "SAX", ())


def test_the_public_interface_is_what_it_was():
    assert snapshot.text().splitlines() == snapshot.PATH.read_text(encoding="utf-8").splitlines(), (
        "the public interface changed: if that is meant, write it anew with `python -m tests.api.snapshot`"
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there_and_told(package):
    module = importlib.import_module(package)
    assert len(set(module.__all__)) == len(module.__all__)
    assert set(module.__all__) - {"__version__"} <= set(dir(module))
    assert all(getattr(module, name) is not None for name in module.__all__)
    with pytest.raises(AttributeError, match="nothing_of_this_name"):
        _ = module.nothing_of_this_name


def test_lazy_names_are_those_that_type_checkers_see():
    import ast

    for package in ("cardiotrace", "cardiotrace.workflows", "cardiotrace.extend"):
        module = importlib.import_module(package)
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        block = next(node for node in tree.body if isinstance(node, ast.If))
        seen = {alias.asname: node.module for node in block.body for alias in node.names}
        places = {name: f"cardiotrace.{place}".rstrip(".") for name, place in module._PLACES.items()}
        assert seen == places


def test_nothing_heavy_is_imported_for_a_public_package():
    code = (
        "import sys, cardiotrace.extend, cardiotrace.workflows; print({'torch', 'numpy', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_pages_tell_all_that_is_public():
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    assert "<!-- generated: api -->" in page
    assert ":::" not in page  # one list, in the program
    guide = (ROOT / "docs" / "how-to" / "add-your-own.md").read_text(encoding="utf-8")
    assert [group for group in ENTRY_POINTS if f"`{group}`" not in guide] == []
    assert all(path.rpartition(".")[0].endswith(f".{path.rpartition('.')[2]}") for path in FUNCTIONS)


def test_entry_points_are_those_of_the_catalogs():
    from cardiotrace.datasets.catalog import DATASETS
    from cardiotrace.learning.losses import LOSSES
    from cardiotrace.learning.models.catalog import ARCHITECTURES
    from cardiotrace.learning.training.optimiser import OPTIMISERS, SCHEDULES
    from cardiotrace.postprocessing import STEPS as AFTER
    from cardiotrace.preprocessing import STEPS as BEFORE

    catalogs = (DATASETS, LOSSES, ARCHITECTURES, OPTIMISERS, SCHEDULES, AFTER, BEFORE)
    assert sorted(catalog.group for catalog in catalogs) == sorted(ENTRY_POINTS)


def test_former_names_of_quantities_answer_with_a_warning_at_the_line_that_asked():
    measures = Measures("a", (EF,))
    for ask, before in ((measures.find, "ejection_fraction"), (measures.value, "ejection_fraction_percent")):
        with pytest.warns(DeprecationWarning, match=f"'{before}' is called 'left_ventricular_{before}' now") as told:
            found = ask(before)
        assert found in (EF, 58.0)
        assert told[0].filename == __file__


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("discs, single plane", "method of disks, single plane"),
        ("discs, one plane", "method of disks, single plane"),
        ("discs", "disks"),
    ],
)
def test_former_words_of_methods_find_what_they_found(before, now):
    disks = replace(EF, method=Method.SINGLE_PLANE_DISKS)
    slices = replace(EF, method=Method.SUM_OF_SLICES)
    with pytest.warns(DeprecationWarning, match=f"'{before}' is called '{now}' now") as told:
        found = Measures("a", (slices, disks)).find(EF.name, method=before)
    assert found is disks
    assert told[0].filename == __file__


def test_present_names_of_quantities_say_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Measures("a", (EF,)).value("left_ventricular_ejection_fraction_percent") == 58.0
        assert Measures("a", (EF,)).find("stroke") is None
        for method in (EF.method, "slices", "area-length", "single plane"):
            Measures("a", (EF,)).find(EF.name, method=method)


def test_a_warning_of_a_name_states_the_version_that_forgets_it():
    with pytest.warns(
        DeprecationWarning, match=r"^'a' is called 'b' now, and will be unknown from CardioTrace 9\.9 on$"
    ):
        warn_renamed("a", "b", gone="9.9")


def test_the_log_is_quiet_unless_somebody_listens():
    code = "import logging, cardiotrace; logging.getLogger('cardiotrace.io').warning('a file was skipped')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert cardiotrace.__version__
