"""Which files are an exam, and what it is called."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Phase, View
from cardiotrace.datasets.found import Reading, find_exams, read_exam
from tests.fake.camus import write_camus
from tests.fake.heart import write_nifti

SPACING_MM = (0.5, 0.25)


def nifti(path: Path, shape=(6, 8)) -> Path:
    write_nifti(path, np.arange(np.prod(shape), dtype=np.uint8).reshape(shape), (1.0, 1.0, *SPACING_MM)[-len(shape) :])
    return path


def png(path: Path, array=None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 5), 7, np.uint8) if array is None else array).save(path)
    return path


def names(*paths: Path) -> list[str]:
    return [exam.name for exam in find_exams(paths)]


def test_a_file_is_an_exam_with_view_and_phase_of_its_name(tmp_path):
    exam = read_exam(nifti(tmp_path / "smith_4CH_ES.nii.gz"))
    (image,) = exam.images
    assert (exam.name, image.name) == ("smith_4CH_ES", "smith_4CH_ES")
    assert (image.cine.view, dict(image.phases)) == (View.FOUR_CHAMBER, {Phase.ES: 0})
    assert image.cine.spacing_mm == (1.0, *SPACING_MM)


def test_a_folder_is_one_exam_without_labels_and_hidden_files(tmp_path):
    for name in ("p_2CH_ED", "p_4CH_ED", "p_4CH_ED_gt", "p_4CH_ED_labels", "._p_4CH_ED"):
        nifti(tmp_path / "p" / f"{name}.nii.gz")
    exam = read_exam(tmp_path / "p")
    assert [image.name for image in exam.images] == ["p_2CH_ED", "p_4CH_ED"]
    assert [image.cine.view for image in exam.images] == [View.TWO_CHAMBER, View.FOUR_CHAMBER]


def test_files_that_differ_in_their_suffix_alone_keep_apart(tmp_path):
    nifti(tmp_path / "p" / "heart.nii.gz")
    png(tmp_path / "p" / "heart.png")
    assert [image.name for image in read_exam(tmp_path / "p").images] == ["heart-nii-gz", "heart-png"]


def test_a_folder_of_pictures_is_one_film(tmp_path):
    for number in (10, 9, 8):
        png(tmp_path / "film" / f"frame{number}.png", np.full((4, 5), number, np.uint8))
    (image,) = read_exam(tmp_path / "film").images
    assert image.name == "film"
    assert image.cine.frames[:, 0, 0, 0].tolist() == [8, 9, 10]


def test_grey_stored_as_colour_is_grey_and_colour_stays(tmp_path):
    grey = png(tmp_path / "grey.png", np.full((4, 5, 3), 9, np.uint8))
    colour = png(tmp_path / "colour.png", np.full((4, 5, 3), (1, 2, 3), np.uint8))
    assert not read_exam(grey).images[0].cine.is_colour
    assert read_exam(colour).images[0].cine.is_colour


def test_folders_are_searched_in_order_but_not_results_nor_hidden_ones(tmp_path):
    for name in ("b/p2/x.nii.gz", "a/p1/x.nii.gz", ".p3-1.partial/x.nii.gz"):
        nifti(tmp_path / name)
    png(tmp_path / "out" / "p1" / "figures" / "x.png")
    for name in ("measures.json", "report.html"):
        (tmp_path / "out" / "p1" / name).write_text("")
    (tmp_path / "empty").mkdir()
    assert names(tmp_path) == ["p1", "p2"]


def test_equal_names_get_the_parents_that_tell_them_apart(tmp_path):
    for name in ("clinic1/smith/ed.nii.gz", "clinic2/smith/ed.nii.gz", "clinic2/jones/ed.nii.gz", "other.nii.gz"):
        nifti(tmp_path / name)
    files = sorted(tmp_path.rglob("*.nii.gz"))
    assert names(*files) == ["clinic1_smith_ed", "jones_ed", "clinic2_smith_ed", "other"]
    assert names(tmp_path / "clinic1", tmp_path / "clinic2") == ["clinic1_smith", "jones", "clinic2_smith"]


def test_equal_names_in_one_folder_are_counted(tmp_path):
    nifti(tmp_path / "a.nii.gz")
    png(tmp_path / "a.png")
    found = names(tmp_path / "a.nii.gz", tmp_path / "a.png")
    assert len(set(found)) == 2
    assert found[1] == f"{found[0]}-2"


def test_an_exam_that_is_given_twice_is_done_once(tmp_path):
    path = nifti(tmp_path / "p" / "a.nii.gz")
    assert names(path, path, tmp_path / "p" / ".." / "p" / "a.nii.gz") == ["a"]


def test_what_cannot_be_read_does_not_hide_the_rest(tmp_path):
    good = nifti(tmp_path / "good.nii.gz")
    (tmp_path / "empty").mkdir()
    missing, empty, found = find_exams([tmp_path / "missing", tmp_path / "empty", good])
    with pytest.raises(InputError, match="no such file"):
        missing.read()
    with pytest.raises(InputError, match="holds no image"):
        empty.read()
    assert found.read().images[0].cine.frames.shape == (1, 1, 6, 8)


def test_several_exams_where_one_is_asked_for(tmp_path):
    for name in ("p1/a.nii.gz", "p2/a.nii.gz"):
        nifti(tmp_path / name)
    with pytest.raises(InputError, match=r"holds 2 exams \(p1, p2"):
        read_exam(tmp_path)


def test_camus_patients_bring_their_instants_and_give_way_to_the_caller(tmp_path):
    write_camus(tmp_path, patients=1, frames=4)
    folder = tmp_path / "database_nifti" / "patient0001"
    images = {image.name: image for image in read_exam(folder).images}
    assert images["patient0001_4CH_half_sequence"].phases == {Phase.ED: 0, Phase.ES: 3}
    changed = read_exam(folder, Reading(view=View.THREE_CHAMBER, spacing_mm=(1.0, 2.0, 3.0)))
    assert {image.cine.view for image in changed.images} == {View.THREE_CHAMBER}
    assert {image.cine.spacing_mm for image in changed.images} == {(1.0, 2.0, 3.0)}


def test_finding_an_exam_loads_no_phantoms():
    code = "import sys, cardiotrace.datasets.found; print('cardiotrace.phantoms' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
