import csv
import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.cli.main import main
from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.label import MNMS
from cardiotrace.core.terms import Phase, Structure, View
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.lint import Severity, lint
from cardiotrace.io import read_image
from cardiotrace.phantoms.choice import PhantomConfig
from cardiotrace.workflows import phantom
from cardiotrace.workflows.phantom import WriteConfig, write_phantoms

ECHO = PhantomConfig(kind="echo", count=3, seed=5, frame_count=12, spacing_mm=1.2, views=("4CH", "2CH"))
CMR = PhantomConfig(kind="cmr", count=1, seed=5, frame_count=12, vendors=("siemens_1.5t_thin",))
EYES = PhantomConfig(kind="fundus", count=2, seed=5, vendors=("drive",), pathologies=("diabetic",))


def opened(name, root, **options):
    return DATASETS.make(Choice(name, options), root)


def errors(dataset):
    return [finding for finding in lint(dataset) if finding.severity is not Severity.INFORMATION]


def truth_of(root):
    with (root / "truth.csv").open() as file:
        return {row["patient"]: row for row in csv.DictReader(file)}


def digests(root):
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    root = tmp_path_factory.mktemp("echo") / "set"
    assert write_phantoms(WriteConfig(root, ECHO)).made == 3
    return root


@pytest.fixture(scope="module")
def eyes(tmp_path_factory):
    root = tmp_path_factory.mktemp("eyes") / "set"
    write_phantoms(WriteConfig(root, EYES))
    return root


def test_camus_reads_it_back_without_a_finding(echo):
    camus = opened("camus", echo, sequences=True)
    assert errors(camus) == []
    assert len(camus.cases()) == 3 * 2 * 3
    assert set(camus.splits()) == {"official", *(f"fold{fold}" for fold in range(1, 11))}
    assert camus.splits()["official"].testing == ("patient0003",)


def test_camus_agrees_with_the_truth(echo):
    camus = opened("camus", echo, views=["4CH"])
    for case in camus.cases():
        row = truth_of(echo)[case.patient]
        labels = case.read_labels()
        area = labels.mask(Structure.LV).sum() * np.prod(labels.spacing_mm[1:]) / 100
        assert area == pytest.approx(float(row[f"4ch_area_{case.phase.lower()}_cm2"]), rel=0.04)
        assert case.facts["left_ventricular_ejection_fraction_percent"] == pytest.approx(
            float(row["ejection_fraction_percent"]), abs=0.051
        )
        edv, esv = float(row["end_diastolic_ml"]), float(row["end_systolic_ml"])
        assert 100 * (1 - esv / edv) == pytest.approx(float(row["ejection_fraction_percent"]))
        assert case.groups["quality"].lower() == row["quality"]


def test_half_sequence_runs_from_ed_to_es(echo):
    exam = opened("camus", echo, views=["4CH"]).exam("patient0002")
    images = {image.name.rpartition("4CH_")[2]: image for image in exam.images}
    video = images["half_sequence"]
    row = truth_of(echo)["patient0002"]
    assert video.phases == {Phase.ED: 0, Phase.ES: int(row["end_systolic_frame"])}
    assert (video.image.frames[0] == images["ED"].image.frames[0]).all()
    assert (video.image.frames[-1] == images["ES"].image.frames[0]).all()
    assert exam.frame_rate_hz == pytest.approx(float(row["frame_rate_hz"]), abs=0.05)
    assert exam.patient.sex == row["sex"]


@pytest.fixture(scope="module")
def beats(tmp_path_factory):
    """One patient as TED stores it, and the same patient as HMC-QU does."""
    root = tmp_path_factory.mktemp("beats")
    for layout in ("ted", "hmc-qu"):
        write_phantoms(WriteConfig(root / layout, replace(ECHO, count=1, views=()), layout))
    return root


def test_whole_beats_are_written_as_ted_has_them(beats):
    ted = opened("ted", beats / "ted")
    assert errors(ted) == []
    (case,) = ted.cases()
    labels, film = case.read_labels(), ted.exam("patient001").images[0]
    row = truth_of(beats / "ted")["patient001"]
    assert labels.array.shape == case.read_image().grid_shape == film.image.grid_shape
    assert len(labels.array) == 12
    for phase, key in ((Phase.ED, "end_diastolic_frame"), (Phase.ES, "end_systolic_frame")):
        frame = film.phases[phase]
        assert frame == int(row[key])
        area = labels.mask(Structure.LV)[frame].sum() * np.prod(labels.spacing_mm[1:]) / 100
        assert area == pytest.approx(float(row[f"4ch_area_{phase.lower()}_cm2"]), rel=0.04)
    assert film.image.times_ms[1] == pytest.approx(1000 / float(row["frame_rate_hz"]), rel=0.01)


def test_whole_beats_are_written_as_hmc_qu_has_them(beats):
    films = opened("hmc-qu", beats / "hmc-qu")
    assert {finding.rule for finding in errors(films)} == {"no-spacing"}  # films state none
    assert [case.name for case in films.cases()] == ["ES0001_2CH_1", "ES0001_4CH_1"]
    without, case = films.cases()
    (seen,) = opened("ted", beats / "ted").cases()
    assert without.read_labels is None
    assert (case.read_image().frames == seen.read_image().frames).all()  # the film is compressed without loss
    walls, truth = case.read_labels().mask(Structure.MYO), seen.read_labels().mask(Structure.MYO)
    overlap = 2 * (walls & truth).sum() / (walls.sum() + truth.sum())
    assert 0.93 < overlap < 1  # to 224 x 224 and back
    assert case.groups["pathology"] == "non-MI"
    assert truth_of(beats / "hmc-qu")["ES0001"]["pathology"] == "normal"


def test_whole_beats_have_the_same_bytes_again(beats, tmp_path):
    for layout in ("ted", "hmc-qu"):
        write_phantoms(WriteConfig(tmp_path / layout, replace(ECHO, count=1, views=()), layout))
        assert digests(tmp_path / layout) == digests(beats / layout)


def test_truth_of_each_frame_is_kept(echo):
    record = json.loads((echo / "truth" / "patient0001.json").read_text())
    volumes = record["curves"]["volume_ml"]
    assert len(volumes) == 12
    assert max(volumes) == pytest.approx(record["end_diastolic_ml"])


def test_stopped_work_is_gone_on_with_and_gives_the_same_bytes(echo, tmp_path, monkeypatch):
    root, make = tmp_path / "set", phantom.render_patient

    def stop_at_the_second(drawn, views):
        if drawn.number == 2:
            raise KeyboardInterrupt
        return make(drawn, views)

    monkeypatch.setattr(phantom, "render_patient", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        write_phantoms(WriteConfig(root, ECHO))
    assert [path.name for path in (root / "database_nifti").iterdir()] == ["patient0001"]
    monkeypatch.undo()
    assert write_phantoms(WriteConfig(root, ECHO)).made == 2
    assert digests(root) == digests(echo)


def test_other_settings_and_other_folders_are_refused(echo, tmp_path):
    with pytest.raises(InputError, match="other settings"):
        write_phantoms(WriteConfig(echo, PhantomConfig(kind="echo", seed=6)))
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="not empty"):
        write_phantoms(WriteConfig(tmp_path, ECHO))
    with pytest.raises(ConfigError, match="layout"):
        write_phantoms(WriteConfig(tmp_path / "new", ECHO, "acdc"))


def test_settings_that_cannot_be_leave_the_folder_to_those_that_can(tmp_path):
    out = tmp_path / "echo"
    with pytest.raises(InputError, match="frame_count = 8 is out of range"):
        write_phantoms(WriteConfig(out, replace(ECHO, frame_count=8)))
    assert not out.exists()


def test_folder_reads_photographs_back(eyes):
    folder = opened("folder", eyes, scheme="vessel255", channels=3, view="FUNDUS")
    assert errors(folder) == []
    assert [case.name for case in folder.cases()] == ["eye0001", "eye0002"]
    for case in folder.cases():
        row = truth_of(eyes)[case.name]
        inside = read_image(eyes / "fields_of_view" / f"{case.name}.png").frames[0, 0] > 0
        vessels = case.read_labels().mask(Structure.VESSEL)[0, 0]
        assert 100 * vessels.sum() / inside.sum() == pytest.approx(float(row["vessel_share_percent"]))
        kinds = read_image(eyes / "arteries_and_veins" / f"{case.name}.png").frames[0, 0]
        assert ((kinds > 0) == vessels).all()
        assert row["pathology"] == "diabetic"
    assert not (eyes / ".parts").exists()


def test_same_seed_same_bytes_of_every_photograph(eyes, tmp_path):
    write_phantoms(WriteConfig(tmp_path / "again", EYES))
    assert digests(tmp_path / "again") == digests(eyes)


@pytest.mark.slow
def test_same_seed_same_bytes_of_every_stack(tmp_path):
    config = PhantomConfig(kind="cmr", count=1, seed=7, frame_count=12, vendors=("siemens_1.5t_thin",), spacing_mm=3.0)
    for name in ("first", "again"):
        write_phantoms(WriteConfig(tmp_path / name, config))
    assert digests(tmp_path / "first") == digests(tmp_path / "again")
    write_phantoms(WriteConfig(tmp_path / "poor", replace(config, qualities=("poor",))))
    path = "database/training/patient001/patient001_frame01.nii.gz"
    assert (read_image(tmp_path / "poor" / path).frames != read_image(tmp_path / "first" / path).frames).mean() > 0.5


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "images"), [("acdc", 2), ("mnms2", 4)])
def test_cine_mri_trees_are_read_back(tmp_path, layout, images):
    write_phantoms(WriteConfig(tmp_path / "set", CMR, layout))
    dataset = opened(layout, tmp_path / "set")
    assert errors(dataset) == []
    assert len(dataset.cases()) == images
    row = next(iter(truth_of(tmp_path / "set").values()))
    for case in dataset.cases():
        labels = case.read_labels()
        if labels.array.shape[1] == 1:
            continue
        volume = labels.mask(Structure.LV).sum() * np.prod(labels.spacing_mm) / 1000
        key = "sliced_end_diastolic_ml" if case.phase is Phase.ED else "sliced_end_systolic_ml"
        assert volume == pytest.approx(float(row[key]), rel=0.06)
    exam = dataset.exam(dataset.exams()[0])
    assert max(len(image.image.frames) for image in exam.images) == 12


def test_long_axes_are_written_as_mnms2_has_them(tmp_path):
    config = replace(CMR, views=("4CH",), spacing_mm=2.8)
    write_phantoms(WriteConfig(tmp_path / "set", config, "mnms2"))
    dataset = opened("mnms2", tmp_path / "set", axes=["LA"])
    assert errors(dataset) == []
    assert [case.name for case in dataset.cases()] == ["001_LA_ED", "001_LA_ES"]
    images = {image.name: image.image for image in dataset.exam("001").images}
    video = images["001_LA_CINE"]
    assert video.grid_shape == (12, 1, *images["001_LA_ED"].grid_shape[2:])
    assert {image.view for image in images.values()} == {View.FOUR_CHAMBER}
    row = truth_of(tmp_path / "set")["001"]
    for case, key in zip(dataset.cases(), ("end_diastolic_frame", "end_systolic_frame"), strict=True):
        assert (case.read_image().frames[0, 0] == video.frames[int(row[key]), 0]).all()
        assert case.read_labels().scheme is MNMS


@pytest.mark.parametrize(("layout", "view"), [("acdc", "4CH"), ("mnms2", "3CH")])
def test_a_tree_without_a_place_for_a_view_refuses_it(tmp_path, layout, view):
    with pytest.raises(ConfigError, match=f"no place for {view}"):
        write_phantoms(WriteConfig(tmp_path / "set", replace(CMR, views=("SAX", view)), layout))
    assert not (tmp_path / "set").exists()


def test_command_line(tmp_path, capsys):
    words = ["phantom", "fundus", "--out", str(tmp_path / "eyes"), "-n", "1", "--vendor", "drive", "--quality", "poor"]
    assert main(words) == 0
    assert "1 made" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows["eye0001"]["quality"] == "poor"
    assert main([*words, "--seed", "3"]) == 3


def test_whole_beats_are_a_layout_of_the_command_line_and_no_option_of_a_tree(tmp_path, capsys):
    words = ["phantom", "echo", "--out", str(tmp_path / "ted"), "-n", "1", "--frames", "12"]
    assert main([*words, "--layout", "ted"]) == 0
    assert "data lint ted" in capsys.readouterr().out
    assert (tmp_path / "ted" / "database" / "patient001" / "patient001_4CH_sequence.mhd").exists()
    with pytest.raises(ConfigError, match="beats: files are laid out as the tree has them"):
        write_phantoms(WriteConfig(tmp_path / "new", replace(ECHO, beats=True)))
    with pytest.raises(ConfigError, match="beats: an eye has none"):
        replace(EYES, beats=True)
