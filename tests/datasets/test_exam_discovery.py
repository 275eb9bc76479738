"""Which files are an exam, and what it is called."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.exam import Patient
from cardiotrace.core.geometry import Known
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.exam_discovery import Reading, find_exams, read_exam
from tests.fake.acdc import write_acdc
from tests.fake.camus import write_camus, write_legacy_camus
from tests.fake.chase import write_chase
from tests.fake.echonet import ED, ES, write_echonet
from tests.fake.heart import write_nifti
from tests.fake.mnms import write_mnms, write_mnms2, write_mnms_stills
from tests.fake.sunnybrook import write_sunnybrook

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
    assert (image.image.view, dict(image.phases)) == (View.FOUR_CHAMBER, {Phase.ES: 0})
    assert image.image.spacing_mm == (1.0, *SPACING_MM)


def test_a_folder_is_one_exam_without_labels_and_hidden_files(tmp_path):
    for name in ("p_2CH_ED", "p_4CH_ED", "p_4CH_ED_gt", "p_4CH_ED_labels", "._p_4CH_ED"):
        nifti(tmp_path / "p" / f"{name}.nii.gz")
    exam = read_exam(tmp_path / "p")
    assert [image.name for image in exam.images] == ["p_2CH_ED", "p_4CH_ED"]
    assert [image.image.view for image in exam.images] == [View.TWO_CHAMBER, View.FOUR_CHAMBER]


def test_files_that_differ_in_their_suffix_alone_keep_apart(tmp_path):
    nifti(tmp_path / "p" / "heart.nii.gz")
    png(tmp_path / "p" / "heart.png")
    assert [image.name for image in read_exam(tmp_path / "p").images] == ["heart-nii-gz", "heart-png"]


def test_a_folder_of_images_is_one_video(tmp_path):
    for number in (10, 9, 8):
        png(tmp_path / "video" / f"frame{number}.png", np.full((4, 5), number, np.uint8))
    (image,) = read_exam(tmp_path / "video").images
    assert image.name == "video"
    assert image.image.frames[:, 0, 0, 0].tolist() == [8, 9, 10]


def test_grey_stored_as_colour_is_grey_and_colour_stays(tmp_path):
    grey = png(tmp_path / "grey.png", np.full((4, 5, 3), 9, np.uint8))
    colour = png(tmp_path / "colour.png", np.full((4, 5, 3), (1, 2, 3), np.uint8))
    assert not read_exam(grey).images[0].image.is_colour
    assert read_exam(colour).images[0].image.is_colour


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
    assert found.read().images[0].image.frames.shape == (1, 1, 6, 8)


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
    assert {image.image.spacing_mm for image in changed.images} == {(1.0, 2.0, 3.0)}
    # The view is what the data set states, and that is said.
    assert {image.image.view for image in changed.images} == {View.TWO_CHAMBER, View.FOUR_CHAMBER}
    assert all("its view stays A" in image.image.notes[-1] for image in changed.images)


def test_finding_an_exam_loads_no_phantoms():
    code = "import sys, cardiotrace.datasets.exam_discovery; print('cardiotrace.phantoms' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


# Data sets as they were downloaded.


def test_an_acdc_patient_is_read_by_its_own_reader(tmp_path):
    write_acdc(tmp_path, training=1, videos=True)
    (found,) = find_exams([tmp_path])
    exam = found.read()
    assert (exam.name, exam.patient) == ("patient001", Patient(height_cm=184.0, weight_kg=95.0))
    assert [dict(image.phases) for image in exam.images] == [{Phase.ED: 0}, {Phase.ES: 0}, {Phase.ED: 0, Phase.ES: 11}]
    assert {image.image.modality for image in exam.images} == {Modality.MR}
    assert exam.left_out == (
        "patient001_frame01_gt.nii.gz, patient001_frame12_gt.nii.gz: labels, which measure and evaluate read",
    )


def test_stills_that_are_frames_of_a_video_are_not_done_again(tmp_path):
    folder = tmp_path / "smith"
    video = np.random.default_rng(0).integers(0, 255, (5, 40, 48), np.uint8)
    nifti(folder / "smith_4CH_ED.nii.gz", (40, 48))
    write_nifti(folder / "smith_4CH_sequence.nii.gz", video, (1.0, *SPACING_MM))
    write_nifti(folder / "smith_4CH_ES.nii.gz", video[3], SPACING_MM)
    exam = read_exam(folder)
    assert {image.name: image.shown_in for image in exam.images} == {
        "smith_4CH_ED": "",
        "smith_4CH_ES": "smith_4CH_sequence",
        "smith_4CH_sequence": "",
    }
    distinct = exam.distinct()
    assert [dict(image.phases) for image in distinct.images] == [{Phase.ED: 0}, {Phase.ES: 3}]
    assert distinct.left_out == ("smith_4CH_ES: a frame of smith_4CH_sequence, which is taken as a whole",)


def test_an_mnms2_patient_has_a_short_axis_and_four_chambers_of_mri(tmp_path):
    write_mnms2(tmp_path, patients=(1,))
    exam = read_exam(tmp_path / "dataset" / "001")
    kinds = {image.name: (image.image.view, image.image.modality, image.image.view_name) for image in exam.images}
    assert kinds["001_SA_ED"] == (View.SAX, Modality.MR, "SAX")
    assert kinds["001_LA_ED"] == (View.FOUR_CHAMBER, Modality.MR, "4CH")
    acquisition = exam.images[0].image.acquisition
    assert (acquisition.vendor, acquisition.scanner, acquisition.field_strength_t) == ("SIEMENS", "Avanto", 1.5)


def test_a_long_axis_without_its_data_set_is_no_evidence(tmp_path):
    nifti(tmp_path / "study" / "001_LA_ED.nii.gz")
    assert read_exam(tmp_path / "study").images[0].image.view is View.UNKNOWN


def test_mnms_patients_with_and_without_their_table(tmp_path):
    write_mnms(tmp_path / "with")
    exam = read_exam(tmp_path / "with" / "Training" / "Labeled" / "A0S9V9")
    assert exam.images[0].phases == {Phase.ED: 4, Phase.ES: 1}
    assert exam.patient == Patient("M", 47.0, 181.0, 93.0)
    assert exam.images[0].image.acquisition.vendor == "Maker"
    write_mnms_stills(tmp_path / "without")
    (tmp_path / "without" / "unlabelled" / "info.csv").unlink()
    assert [dict(image.phases) for image in read_exam(tmp_path / "without").images] == [{Phase.ED: 0}, {Phase.ES: 0}]


def test_camus_of_either_release_and_whatever_the_folder_is_called(tmp_path):
    write_camus(tmp_path / "new", patients=1)
    write_legacy_camus(tmp_path / "old", patients=1)
    (tmp_path / "new" / "database_nifti" / "patient0001").rename(tmp_path / "new" / "database_nifti" / "first")
    new, old = read_exam(tmp_path / "new" / "database_nifti" / "first"), read_exam(tmp_path / "old")
    assert (new.patient.sex, new.patient.age_years, new.frame_rate_hz) == ("F", 50.0, 50.0)
    assert new.images[0].image.acquisition.frame_rate_hz == 50.0
    assert len(new.images) == len(old.images) == 4
    assert sum("its pixel file" in line for line in old.left_out) == 2


def test_files_that_a_camus_folder_was_not_expected_to_hold_are_listed(tmp_path):
    write_camus(tmp_path, patients=1)
    folder = tmp_path / "database_nifti" / "patient0001"
    nifti(folder / "patient0001_3CH_ED.nii.gz")
    (folder / "letter.pdf").write_text("Dear colleague")
    told = "\n".join(read_exam(folder).left_out)
    assert "patient0001_3CH_ED.nii.gz: not one of the files that camus is made of" in told
    assert "letter.pdf: no image, by its suffix" in told


@pytest.mark.parametrize("place", ["", "Videos", "Videos/0X1A.avi"])
def test_an_echonet_video_is_known_by_the_list_beside_or_above_it(tmp_path, place):
    write_echonet(tmp_path, names=("0X1A", "0X2B"))
    found = find_exams([tmp_path / place])
    assert [exam.name for exam in found] == ["0X1A", "0X2B"][: 1 if place.endswith("avi") else 2]
    exam = found[0].read()
    (image,) = exam.images
    assert image.phases == {Phase.ED: ED, Phase.ES: ES}
    assert (image.image.view, image.image.modality) == (View.FOUR_CHAMBER, Modality.US)
    assert image.image.times is Known.DATA_SET
    assert image.image.times_ms.tolist() == [20.0 * frame for frame in range(8)]
    assert exam.left_out == ()


def test_the_list_of_videos_may_lie_beside_them(tmp_path):
    write_echonet(tmp_path, names=("0X1A",))
    (tmp_path / "Videos" / "0X1A.avi").rename(tmp_path / "0X1A.avi")
    assert read_exam(tmp_path / "0X1A.avi").images[0].phases == {Phase.ED: ED, Phase.ES: ES}


def test_archives_and_photographs_of_many_patients(tmp_path):
    write_sunnybrook(tmp_path / "scd")
    write_chase(tmp_path / "chase")
    assert names(tmp_path / "scd") == ["case01", "case02", "case03"]
    (eyes, *_) = find_exams([tmp_path / "chase"])
    assert {image.image.view for image in eyes.read().images} == {View.FUNDUS}


# Whose files they are.


def test_stills_of_ten_patients_are_ten_exams(tmp_path):
    for number in range(1, 11):
        png(tmp_path / "stills" / f"patient{number:04d}_4CH_ED.png")
    found = find_exams([tmp_path / "stills"])
    assert [exam.name for exam in found] == [f"patient{number:04d}" for number in range(1, 11)]
    (image,) = found[3].read().images
    assert (image.name, image.image.view, dict(image.phases)) == (
        "patient0004_4CH_ED",
        View.FOUR_CHAMBER,
        {Phase.ED: 0},
    )


def test_stills_of_one_patient_are_one_exam_of_several_views(tmp_path):
    for view in ("2CH", "4CH"):
        for phase in ("ED", "ES"):
            png(tmp_path / "images" / f"pat1_{view}_{phase}.png")
    exam = read_exam(tmp_path / "images")
    assert exam.name == "images"
    assert [(image.image.view_name, *image.phases) for image in exam.images] == [
        ("A2C", Phase.ED),
        ("A2C", Phase.ES),
        ("A4C", Phase.ED),
        ("A4C", Phase.ES),
    ]


@pytest.mark.parametrize("suffix", [".png", ".nii.gz"])
def test_patients_in_one_folder_are_never_mixed(tmp_path, suffix):
    for patient in ("anna", "berta"):
        for phase in ("ED", "ES"):
            path = tmp_path / "all" / f"{patient}_4CH_{phase}{suffix}"
            nifti(path) if suffix == ".nii.gz" else png(path)
    exams = [exam.read() for exam in find_exams([tmp_path / "all"])]
    assert [exam.name for exam in exams] == ["anna", "berta"]
    assert [[image.name[:4] for image in exam.images] for exam in exams] == [["anna", "anna"], ["bert", "bert"]]


def test_phases_before_numbers_are_patients_by_number(tmp_path):
    for name in ("ED_001", "ES_001", "ED_002", "ES_002"):
        png(tmp_path / "all" / f"{name}.png")
    found = find_exams([tmp_path / "all"])
    assert [exam.name for exam in found] == ["001", "002"]
    assert [dict(image.phases) for image in found[0].read().images] == [{Phase.ED: 0}, {Phase.ES: 0}]


def test_a_folder_named_after_the_patient_is_one_exam(tmp_path):
    for name in ("smith_2CH", "smith_4CH", "smith_b_4CH"):
        nifti(tmp_path / "smith" / f"{name}.nii.gz")
    assert names(tmp_path / "smith") == ["smith"]


# Videos and stills.


def moving(frames: int, seed: int = 0) -> list[np.ndarray]:
    """Images of a video: a smooth scene in which a bright disc shrinks and grows."""
    rows, columns = np.mgrid[:64, :64]
    rng = np.random.default_rng(seed)
    centre, tilt = rng.uniform(15, 48, 2), rng.uniform(-2, 2, 2)
    scene = 80 + tilt[0] * (rows - 32) + tilt[1] * (columns - 32)
    radii = 12 - 4 * np.sin(np.pi * np.arange(frames) / frames) ** 2
    distance = np.hypot(rows - centre[0], columns - centre[1])
    return [np.clip(scene + 90 * (distance < radius), 0, 255).astype(np.uint8) for radius in radii]


@pytest.mark.parametrize("name", ["{:04d}", "img_{:03d}", "A4C_{:03d}", "heart{:02d}", "smith_{:03d}"])
def test_numbered_images_that_look_alike_are_a_video(tmp_path, name):
    for number, raster in enumerate(moving(12)):
        png(tmp_path / "video" / f"{name.format(number)}.png", raster)
    (image,) = read_exam(tmp_path / "video").images
    assert (image.name, image.image.grid_shape) == ("video", (12, 1, 64, 64))


@pytest.mark.parametrize("name", ["{:04d}", "img_{:03d}", "A4C_{:03d}", "heart{:02d}"])
def test_numbered_images_that_look_different_are_stills_of_different_people(tmp_path, name):
    for number in range(10):
        png(tmp_path / "stills" / f"{name.format(number)}.png", moving(1, seed=number)[0])
    found = find_exams([tmp_path / "stills"])
    assert len(found) == 10
    assert {exam.read().images[0].image.grid_shape for exam in found} == {(1, 1, 64, 64)}


def test_images_of_different_sizes_are_no_video(tmp_path):
    for number in range(3):
        png(tmp_path / "stills" / f"{number}.png", moving(1)[0][: 40 + number])
    assert names(tmp_path / "stills") == ["000", "001", "002"]


def test_images_named_as_frames_that_show_different_people_are_asked_about(tmp_path):
    for number in range(6):
        png(tmp_path / "p" / f"frame{number}.png", moving(1, seed=number)[0])
    with pytest.raises(InputError, match="named as frames, and do not look like those of one video"):
        read_exam(tmp_path / "p")
    assert len(find_exams([tmp_path / "p"], Reading(image_files="stills"))) == 6


def test_what_cannot_be_told_is_asked_for(tmp_path):
    for number in range(4):
        png(tmp_path / "images" / f"{number:03d}.png", np.full((8, 8), number, np.uint8))
    (found,) = find_exams([tmp_path / "images"])
    with pytest.raises(InputError, match=r"4 images 000\.png \.\.\. 003\.png can be .*\n.*--image-files video or"):
        found.read()
    assert read_exam(tmp_path / "images", Reading(image_files="video")).images[0].image.grid_shape[0] == 4
    assert len(find_exams([tmp_path / "images"], Reading(image_files="stills"))) == 4


def test_images_named_as_slices_are_asked_about(tmp_path):
    for number in range(4):
        png(tmp_path / "images" / f"p1_slice{number}.png")
    with pytest.raises(InputError, match="named as slices"):
        read_exam(tmp_path / "images")


def test_videos_of_two_patients_in_one_folder(tmp_path):
    for patient in ("p1", "p2"):
        for number, image in enumerate(moving(5)):
            png(tmp_path / "videos" / f"{patient}_A4C_frame{number}.png", image)
    exams = [exam.read() for exam in find_exams([tmp_path / "videos"])]
    assert [(exam.name, exam.images[0].name, exam.images[0].image.grid_shape[0]) for exam in exams] == [
        ("p1", "p1_A4C_frame", 5),
        ("p2", "p2_A4C_frame", 5),
    ]


# Modality.


def test_a_long_axis_of_which_nothing_is_known_is_taken_for_ultrasound_and_that_is_said(tmp_path):
    image = read_exam(nifti(tmp_path / "p_4CH_ED.nii.gz")).images[0].image
    assert image.modality is Modality.US
    assert any("taken for ultrasound" in note for note in image.notes)
    assert read_exam(nifti(tmp_path / "p_A4C_ED.nii.gz")).images[0].image.notes == ()


def test_a_plane_oblique_in_the_patient_is_mri(tmp_path):
    import nibabel

    turned = np.array([[0.6, 0.0, 0.8, -30.0], [-0.8, 0.0, 0.6, 20.0], [0.0, -1.0, 0.0, 10.0], [0.0, 0.0, 0.0, 1.0]])
    nibabel.save(nibabel.Nifti1Image(np.ones((8, 6, 1), np.uint8), turned), tmp_path / "p_4CH.nii.gz")
    image = read_exam(tmp_path / "p_4CH.nii.gz").images[0].image
    assert (image.modality, image.view_name) == (Modality.MR, "4CH")


@pytest.mark.parametrize(
    ("name", "view", "modality"),
    [
        ("p_ED", View.TWO_CHAMBER, Modality.MR),  # nothing is stated
        ("p_LA_ED", View.TWO_CHAMBER, Modality.MR),  # a doubtful word is no statement
        ("p_2CH_ED", View.TWO_CHAMBER, Modality.MR),
        ("p_A4C_ED", View.FOUR_CHAMBER, Modality.US),  # another view is stated, and how it is made
    ],
)
def test_the_caller_tells_what_the_name_does_not(tmp_path, name, view, modality):
    path = nifti(tmp_path / f"{name}.nii.gz")
    image = read_exam(path, Reading(view=View.TWO_CHAMBER, modality=Modality.MR)).images[0].image
    assert (image.view, image.modality) == (view, modality)
    assert any("its view stays A4C" in note for note in image.notes) == (name == "p_A4C_ED")


def test_views_of_one_exam_stay_apart_where_one_is_given(tmp_path):
    for name in ("p_2CH_ED", "p_4CH_ED", "p_SAX_ED"):
        nifti(tmp_path / "p" / f"{name}.nii.gz")
    images = read_exam(tmp_path / "p", Reading(view=View.FOUR_CHAMBER, modality=Modality.US)).images
    assert [image.image.view_name for image in images] == ["A2C", "A4C", "SAX"]


def test_the_caller_knows_the_person(tmp_path):
    write_acdc(tmp_path, training=2)
    first = tmp_path / "database" / "training" / "patient001"
    given = Reading(patient=Patient(sex="F", weight_kg=60.0))
    assert read_exam(first, given).patient == Patient(sex="F", height_cm=184.0, weight_kg=60.0)
    with pytest.raises(UsageError, match="several exams"):
        find_exams([tmp_path], given)


# Links, and what is no file.


def test_links_are_followed_and_said_where_they_lead_to_the_same(tmp_path):
    for name in ("p1", "p2", "p3"):
        nifti(tmp_path / "store" / name / f"{name}_4CH_ED.nii.gz")
    (tmp_path / "study").mkdir()
    for name in ("p1", "p2", "p3"):
        (tmp_path / "study" / name).symlink_to(tmp_path / "store" / name)
    (tmp_path / "study" / "again").symlink_to(tmp_path / "store" / "p1")
    found = find_exams([tmp_path / "study"])
    assert len(found) == 3
    assert "a link to" in "\n".join(line for exam in found for line in exam.read().left_out)


def test_loops_of_links_end(tmp_path):
    nifti(tmp_path / "p" / "p_4CH_ED.nii.gz")
    for name in ("here", "there"):
        (tmp_path / "p" / name).symlink_to(".")
    (tmp_path / "p" / "up").symlink_to("..")
    exam = read_exam(tmp_path / "p")
    assert len(exam.images) == 1
    assert [line.partition(":")[0] for line in exam.left_out] == ["here", "there"]


def test_one_file_under_two_names_is_taken_once(tmp_path):
    path = nifti(tmp_path / "p" / "p_4CH_ED.nii.gz")
    (tmp_path / "p" / "p_4CH_ED_copy.nii.gz").symlink_to(path)
    exam = read_exam(tmp_path / "p")
    assert len(exam.images) == 1
    assert exam.left_out == ("p_4CH_ED_copy.nii.gz: the same file as p_4CH_ED.nii.gz",)


def test_what_is_no_file_is_listed_and_what_systems_leave_behind_is_not(tmp_path):
    nifti(tmp_path / "p" / "p_4CH_ED.nii.gz")
    os.mkfifo(tmp_path / "p" / "pipe.nii.gz")
    (tmp_path / "p" / "gone.nii.gz").symlink_to("nowhere")
    for name in (".DS_Store", "Thumbs.db", "._p_4CH_ED.nii.gz", "desktop.ini"):
        (tmp_path / "p" / name).write_text("")
    assert read_exam(tmp_path / "p").left_out == (
        "gone.nii.gz: a link to nothing",
        "pipe.nii.gz: not a regular file",
    )


def test_a_pipe_that_is_named_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.nii.gz")
    with pytest.raises(InputError, match="is a pipe, not a file"):
        read_exam(tmp_path / "pipe.nii.gz")


def test_folders_within_an_exam_are_exams_too(tmp_path):
    nifti(tmp_path / "p" / "p_4CH_ED.nii.gz")
    nifti(tmp_path / "p" / "later" / "p_4CH_ED.nii.gz")
    assert names(tmp_path / "p") == ["p", "later"]


def test_folders_of_labels_and_of_results_beside_images_are_told(tmp_path):
    nifti(tmp_path / "set" / "images" / "p1_4CH_ED.nii.gz")
    nifti(tmp_path / "set" / "labels" / "p1_4CH_ED.nii.gz")
    for name in ("measures.json", "report.html"):
        (tmp_path / "set" / "out").mkdir(exist_ok=True)
        (tmp_path / "set" / "out" / name).write_text("")
    (found,) = find_exams([tmp_path / "set"])
    assert [line.partition(":")[0] for line in found.read().left_out] == ["labels", "out"]


def test_what_lies_there_instead_of_images_is_told(tmp_path):
    (tmp_path / "p").mkdir()
    os.mkfifo(tmp_path / "p" / "pipe.png")
    with pytest.raises(InputError, match=r"holds no image \(pipe.png: not a regular file\)"):
        read_exam(tmp_path / "p")
