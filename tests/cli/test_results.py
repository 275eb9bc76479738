"""What the user made is never lost: label maps, images, notes; whatever is run, and in whatever order."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cardiotrace.inference.model_file import read_spec, seal
from cardiotrace.io.results import MANIFEST
from cardiotrace.workflows.services.batch import REPORT
from tests.command import command_line, environment
from tests.fake.camus import write_camus
from tests.fake.heart import write_nifti

IMAGES = ("patient0001_4CH_ED", "patient0001_4CH_ES")
MAPS = tuple(f"{name}_labels.nii.gz" for name in IMAGES)


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """The current folder: one patient in `patient0001`."""
    write_camus(tmp_path / "all", patients=1, views=("4CH",), frames=3)
    shutil.move(tmp_path / "all" / "database_nifti" / "patient0001", tmp_path / "patient0001")
    shutil.rmtree(tmp_path / "all")
    for path in (tmp_path / "patient0001").glob("*half_sequence*"):
        path.unlink()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def analyse(command, model):
    return lambda *words: command("analyse", *(words or ("patient0001",)), "--model", model)


@pytest.fixture
def measure(command):
    return lambda labels, *words: command("measure", "patient0001", "--labels", labels, *words)


def content(folder: Path | str) -> dict[str, bytes]:
    """Every file below a folder with its bytes, those of results aside."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def traced(folder: Path | str) -> dict[str, bytes]:
    """Labels drawn by hand in a folder."""
    for name in IMAGES:
        shutil.copy(f"patient0001/{name}_gt.nii.gz", Path(folder) / f"{name}_labels.nii.gz")
    return content(folder)


def held(folder: Path | str, before: dict[str, bytes]) -> None:
    """All that was there is there as it was."""
    after = content(folder)
    assert {name: after.get(name) for name in before} == before


def corrected(path: str) -> bytes:
    """A label map of the results, changed as an editor would change it."""
    edited = Path("patient0001/patient0001_4CH_ES_gt.nii.gz").read_bytes()
    Path(path).write_bytes(edited)
    return edited


def kept_in_one_line(answer: tuple[int, str, str], named: str) -> None:
    status, out, error = answer
    assert status == 2
    assert out == ""
    first, second = error.splitlines()
    assert named in first
    assert first.endswith(": kept")
    assert second == "use --overwrite to replace it, or another --out."


@pytest.mark.usefixtures("place")
class TestHandDrawn:
    """Folders that hold nothing but labels that a person drew."""

    @pytest.mark.parametrize("folder", ["corrected", "corrected/patient0001"])
    def test_measured_into_their_own_folder(self, measure, folder):
        Path(folder).mkdir(parents=True)
        before = traced(folder)
        for _ in range(2):
            assert measure("corrected", "--out", "corrected")[0] == 0
            held(folder, before)
        assert measure("corrected", "--out", "corrected", "--overwrite")[0] == 0
        held(folder, before)
        assert set(REPORT) <= set(content("corrected/patient0001"))

    def test_analysed_into_their_folder(self, analyse):
        Path("corrected/patient0001").mkdir(parents=True)
        before = traced("corrected/patient0001")
        kept_in_one_line(analyse("patient0001", "--out", "corrected"), "patient0001_4CH_ED_labels.nii.gz")
        assert content("corrected/patient0001") == before

    def test_labels_of_other_images_in_the_folder_of_an_exam(self, analyse):
        Path("X/p").mkdir(parents=True)
        shutil.copy("patient0001/patient0001_4CH_ED.nii.gz", "p.nii.gz")
        before = traced("X/p")
        assert analyse("p.nii.gz", "--view", "A4C", "--out", "X")[0] == 0
        held("X/p", before)
        assert Path("X/p/p_labels.nii.gz").exists()

    def test_labels_of_another_case(self, command, model):
        """On a file system that does not tell capitals apart this is one file; elsewhere both stay."""
        Path("out/patient0001").mkdir(parents=True)
        upper = Path("out/patient0001/PATIENT0001_4CH_ED_LABELS.NII.GZ")
        upper.write_bytes(b"mine")
        command("segment", "patient0001", "--model", model)
        assert upper.read_bytes() == b"mine"


@pytest.mark.usefixtures("place")
class TestReportBesideNewLabels:
    """Label maps that are made anew in a folder with a report: what still holds stays, what does not goes, aloud."""

    def test_a_measurement_of_given_labels_stays(self, measure, command, model):
        traced_in = Path("traced")
        traced_in.mkdir()
        traced(traced_in)
        assert measure(traced_in, "--out", "X")[0] == 0
        before = content("X/patient0001")
        assert set(REPORT) <= set(before)
        for more in ((), ("--scheme", "lv")):  # once beside the measurement, once over its own label maps
            status, out, error = command("segment", "patient0001", "--model", model, "--out", "X", *more)
            assert (status, error, "removed" in out) == (0, "", False)
            held("X/patient0001", before)
        assert len(content("X/patient0001")) == len(before) + len(IMAGES)
        assert measure(traced_in, "--out", "X")[0] == 0
        held("X/patient0001", before)

    def test_a_report_of_label_maps_that_are_replaced_goes_and_it_is_said(self, analyse, command, model):
        assert analyse("patient0001", "--out", "X")[0] == 0
        words = ("segment", "patient0001", "--model", model, "--out", "X", "--scheme", "lv")
        status, out, error = command(*words)
        assert (status, error) == (0, "")
        told = "  removed: measures.json, measures.csv, report.html, which told of the label maps that lay there before"
        assert told in out.splitlines()
        assert sorted(content("X/patient0001")) == sorted(f"{name}_labels.nii.gz" for name in IMAGES)
        (again,) = json.loads(command(*words, "--json")[1])
        assert (again["status"], again["removed"]) == ("skipped", [])

    def test_a_report_that_was_changed_by_hand_stays(self, analyse, command, model):
        assert analyse("patient0001", "--out", "X")[0] == 0
        page = Path("X/patient0001/report.html")
        page.write_text("with remarks")
        kept_in_one_line(command("segment", "patient0001", "--model", model, "--out", "X"), "report.html")
        assert page.read_text() == "with remarks"


@pytest.mark.usefixtures("place")
class TestResults:
    """Results that were changed after they were written."""

    MAP = "out/patient0001/patient0001_4CH_ED_labels.nii.gz"

    def test_corrected_in_place_and_measured(self, analyse, measure):
        assert analyse()[0] == 0
        first = json.loads(Path("out/patient0001/measures.json").read_text())
        corrected(self.MAP)
        before = {name: Path("out/patient0001", name).read_bytes() for name in MAPS}
        assert measure("out")[0] == 0
        held("out/patient0001", before)
        second = json.loads(Path("out/patient0001/measures.json").read_text())
        assert second["quantities"] != first["quantities"]
        assert second["provenance"]["verb"] == "measure"
        assert second["provenance"]["models"] == []
        assert [image["labels"] for image in second["provenance"]["images"]] == list(MAPS)
        # Measured from what lies there, it may be measured again and again, and is still not analysed over.
        assert "was done with the same" in measure("out")[1]
        assert measure("out", "--overwrite")[0] == 0
        held("out/patient0001", before)
        kept_in_one_line(analyse(), "patient0001_4CH_ED_labels.nii.gz: was changed by hand since it was written")
        held("out/patient0001", before)

    def test_measured_from_elsewhere_leaves_the_maps(self, analyse, measure):
        assert analyse()[0] == 0
        corrected(self.MAP)
        Path("corrected").mkdir()
        drawn = traced("corrected")
        before = {name: Path("out/patient0001", name).read_bytes() for name in MAPS}
        assert measure("corrected")[0] == 0
        held("out/patient0001", before)
        assert content("corrected") == drawn

    @pytest.mark.parametrize("verb", ["analyse", "segment"])
    def test_done_again(self, command, model, verb):
        words = (verb, "patient0001", "--model", model)
        assert command(*words)[0] == 0
        edited = corrected(self.MAP)
        before = content("out")
        kept_in_one_line(command(*words), "patient0001_4CH_ED_labels.nii.gz: was changed by hand since it was written")
        assert content("out") == before
        assert command(*words, "--overwrite")[0] == 0
        assert Path(self.MAP).read_bytes() != edited
        assert set(content("out")) == set(before)

    @pytest.mark.parametrize("name", ["measures.csv", "report.html", "figures/patient0001_4CH_ED_ED.png"])
    def test_any_result_that_was_changed(self, analyse, measure, name):
        assert analyse()[0] == 0
        path = Path("out/patient0001", name)
        path.write_text("mine")
        before = content("out")
        kept_in_one_line(analyse(), name)
        kept_in_one_line(measure("patient0001"), name)
        assert content("out") == before

    def test_notes_stay_and_old_results_go(self, analyse, command, model):
        assert analyse()[0] == 0
        Path("out/patient0001/notes.txt").write_text("mine")
        Path("out/patient0001/figures/mine.png").write_bytes(b"mine")
        assert command("segment", "patient0001", "--model", model)[0] == 0
        left = sorted(content("out/patient0001"))
        assert left == sorted(["figures/mine.png", "notes.txt", *MAPS])
        assert Path("out/patient0001/notes.txt").read_text() == "mine"
        assert analyse("patient0001", "--overwrite")[0] == 0
        assert Path("out/patient0001/notes.txt").read_text() == "mine"
        assert Path("out/patient0001/figures/mine.png").read_bytes() == b"mine"

    def test_results_without_a_manifest_are_the_users(self, analyse, command, model):
        assert analyse()[0] == 0
        Path("out/patient0001", MANIFEST).unlink()
        before = content("out")
        kept_in_one_line(analyse(), "measures.json: is no known result")
        kept_in_one_line(command("segment", "patient0001", "--model", model, "--scheme", "lv"), "_labels.nii.gz")
        assert content("out") == before
        assert analyse("patient0001", "--overwrite")[0] == 0
        assert analyse()[0] == 0

    def test_a_damaged_manifest_is_none(self, analyse):
        assert analyse()[0] == 0
        for text in ("", "[]", "{" * 100000, '{"format": "cardiotrace results 1", "files": 3}'):
            Path("out/patient0001", MANIFEST).write_text(text)
            kept_in_one_line(analyse(), "measures.json: is no known result")

    def test_links_are_the_users(self, analyse):
        Path("kept").mkdir()
        Path("kept/mine.json").write_text("mine")
        Path("out/patient0001").mkdir(parents=True)
        Path("out/patient0001/measures.json").symlink_to(Path("kept/mine.json").resolve())
        Path("out/patient0001/figures").symlink_to(Path("kept").resolve())
        kept_in_one_line(analyse(), "measures.json")
        status, _, error = analyse("patient0001", "--overwrite")
        assert status == 2
        assert "figures: would be written into, and is no folder of results" in error
        Path("out/patient0001/figures").unlink()
        assert analyse("patient0001", "--overwrite")[0] == 0
        assert content("kept") == {"mine.json": b"mine"}

    def test_results_of_another_exam_of_the_same_name(self, analyse):
        assert analyse()[0] == 0
        write_nifti(Path("other/patient0001/x_4CH.nii.gz"), np.full((40, 48), 90, np.uint8), (0.3, 0.3))
        before = content("out")
        status, _, error = analyse("other/patient0001")
        assert status == 2
        assert f"holds results of another exam, {Path('patient0001').resolve()}: kept" in error
        assert content("out") == before

    @pytest.mark.slow
    def test_the_demo_spares_them_too(self, command, model):
        words = ("demo", "--model", model, "--out", "out")
        assert command(*words)[0] == 0
        Path("out/phantom/measures.csv").write_text("mine")
        kept_in_one_line(command(*words), "measures.csv: was changed by hand since it was written")
        assert Path("out/phantom/measures.csv").read_text() == "mine"
        assert command(*words, "--overwrite")[0] == 0


@pytest.mark.usefixtures("place")
class TestImages:
    """The exam itself."""

    @pytest.mark.parametrize("verb", ["analyse", "segment", "measure"])
    @pytest.mark.parametrize("exam", ["patient0001", "patient0001/../patient0001/", "link/patient0001"])
    def test_results_never_come_among_them(self, command, model, verb, exam, place):
        Path("link").symlink_to(place)
        words = ("--labels", "patient0001") if verb == "measure" else ("--model", model)
        before = content("patient0001")
        for more in ((), ("--overwrite",)):
            status, _, error = command(verb, exam, *words, "--out", ".", *more)
            assert status == 2
            assert "which is no result" in error.splitlines()[0]
            assert content("patient0001") == before

    def test_a_file_in_a_folder_of_its_own_name(self, analyse):
        Path("p_4CH").mkdir()
        shutil.copy("patient0001/patient0001_4CH_ED.nii.gz", "p_4CH/p_4CH.nii.gz")
        before = content("p_4CH")
        assert analyse("p_4CH/p_4CH.nii.gz", "--out", ".", "--overwrite")[0] == 2
        assert content("p_4CH") == before
        assert analyse("p_4CH/p_4CH.nii.gz", "--out", "p_4CH")[0] == 0
        held("p_4CH", before)

    def test_images_that_are_results_by_name(self, analyse):
        """A label map as image: what is written is never what is read."""
        Path("out/p_labels").mkdir(parents=True)
        shutil.copy("patient0001/patient0001_4CH_ED.nii.gz", "out/p_labels/p_labels.nii.gz")
        before = content("out")
        status = analyse("out/p_labels/p_labels.nii.gz", "--view", "A4C", "--overwrite")[0]
        assert status == 2
        assert content("out") == before

    def test_images_of_others_where_results_would_go(self, analyse):
        """They would be taken for results from then on, and not be found again."""
        Path("X/p").mkdir(parents=True)
        shutil.copy("patient0001/patient0001_4CH_ES.nii.gz", "X/p/other.nii.gz")
        shutil.copy("patient0001/patient0001_4CH_ED.nii.gz", "p.nii.gz")
        status, _, error = analyse("p.nii.gz", "--view", "A4C", "--out", "X")
        assert status == 2
        assert "X/p/other.nii.gz: is an image, and results would go beside it" in error
        assert list(content("X")) == ["p/other.nii.gz"]

    def test_a_link_of_the_results_to_the_exam(self, analyse):
        Path("out").mkdir()
        Path("out/patient0001").symlink_to(Path("patient0001").resolve())
        before = content("patient0001")
        assert analyse("patient0001", "--overwrite")[0] == 2
        assert content("patient0001") == before

    def test_results_inside_the_folder_of_the_exam(self, analyse, measure):
        before = content("patient0001")
        assert analyse("patient0001", "--out", "patient0001/out")[0] == 0
        assert "was done with the same" in analyse("patient0001", "--out", "patient0001/out")[1]
        assert measure("patient0001/out", "--out", "patient0001/out")[0] == 0
        held("patient0001", before)


def exams(folder: Path, count: int) -> None:
    """Small exams of one still each."""
    for number in range(1, count + 1):
        for phase, half in (("ED", 12), ("ES", 8)):
            plane = np.full((40, 48), 30, np.uint8)
            plane[20 - half : 20 + half, 18:30] = 80
            write_nifti(folder / f"p{number}" / f"p{number}_4CH_{phase}.nii.gz", plane, (1.0, 1.0))


@pytest.fixture
def cohort(tmp_path, monkeypatch) -> Path:
    """Three exams, of which the second cannot be read."""
    exams(tmp_path / "exams", 3)
    (tmp_path / "exams" / "p2" / "p2_4CH_ED.nii.gz").write_text("no image")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def summary() -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in csv.DictReader(io.StringIO(Path("out/summary.csv").read_text()))}


@pytest.mark.usefixtures("cohort")
class TestCohort:
    """Several exams in one folder of results."""

    def test_summary_and_page(self, analyse):
        status, out, _ = analyse("exams")
        assert status == 3
        assert out.splitlines()[-1] == "all exams: out/index.html"
        rows = summary()
        assert [row["status"] for row in rows.values()] == ["done", "failed", "done"]
        plain = json.loads(Path("out/p1/measures.json").read_text())
        values = {quantity["name"]: quantity["value"] for quantity in plain["quantities"][::-1]}
        assert float(rows["p1"]["ef_percent"]) == pytest.approx(values["left_ventricular_ejection_fraction"])
        assert values["left_ventricular_end_diastolic_volume"] < 10  # the square of the tiny model is no ventricle, ...
        assert rows["p1"]["edv_ml"] == ""  # ... and that is no number to calculate with
        assert "EDV" in rows["p1"]["not_usable"]
        assert rows["p1"]["model"] == "tiny"
        assert rows["p1"]["pixel_size_known_from"] == "file"
        assert int(rows["p1"]["flags"]) == len(plain["flags"])
        assert "p2_4CH_ED.nii.gz" in rows["p2"]["reason"]
        page = Path("out/index.html").read_text()
        assert 'href="p1/report.html"' in page
        assert page.count("data:image/jpeg") == 2
        assert "p2_4CH_ED.nii.gz" in page.partition("Could not be done")[2]
        assert not [word for word in ("http://", "https://", "<link", "url(") if word in page]

    def test_a_second_run_skips_what_is_done(self, analyse):
        analyse("exams")
        before = {path: path.stat().st_mtime_ns for path in Path("out").glob("p?/*")}
        exams(Path("again"), 2)
        shutil.copy("again/p2/p2_4CH_ED.nii.gz", "exams/p2/p2_4CH_ED.nii.gz")
        status, out, _ = analyse("exams")
        assert status == 0
        assert [line.split(" (")[-1] for line in out.splitlines() if "report:" in line] == [
            "was done with the same files and settings; --overwrite does it again)",
            "  report: out/p2/report.html",
            "was done with the same files and settings; --overwrite does it again)",
        ]
        assert {path: path.stat().st_mtime_ns for path in before} == before
        assert [row["status"] for row in summary().values()] == ["done"] * 3
        assert "Could not be done" not in Path("out/index.html").read_text()

    @pytest.mark.parametrize("change", ["image", "setting", "model", "missing result"])
    def test_what_changed_is_done_again(self, analyse, command, model, change, tmp_path):
        analyse("exams")
        words = ["exams/p1"]
        if change == "image":
            os.utime("exams/p1/p1_4CH_ED.nii.gz", ns=(1, 1))
        elif change == "setting":
            words += ["--spacing-mm", "2", "2"]
        elif change == "model":
            other = tmp_path / model.name
            other.write_bytes(seal(model.read_bytes(), replace(read_spec(model), summary="Another network.")))
            assert "was done" not in command("analyse", "exams/p1", "--model", other)[1]
            return
        else:
            Path("out/p1/figures/p1_4CH_ED_ED.png").unlink()
        assert "was done" not in analyse(*words)[1]
        assert "was done" in analyse(*words)[1]

    def test_exams_of_earlier_runs_are_in_the_summary(self, analyse):
        analyse("exams/p1")
        assert not Path("out/summary.csv").exists()
        analyse("exams/p3")
        assert list(summary()) == ["p1", "p3"]
        analyse("exams/p2")
        assert [row["status"] for row in summary().values()] == ["done", "failed", "done"]
        analyse("exams/p1", "--overwrite")
        assert [row["status"] for row in summary().values()] == ["done", "failed", "done"]

    def test_a_summary_that_was_changed_is_kept(self, analyse):
        analyse("exams")
        Path("out/summary.csv").write_text("mine")
        status, out, error = analyse("exams/p1", "--overwrite")
        assert Path("out/summary.csv").read_text() != "mine"
        Path("out/summary.csv").write_text("mine")
        status, out, error = analyse("exams/p1")
        assert status == 2
        assert "p1: EF" in out
        assert "the summary was not renewed: out/summary.csv: was changed by hand since it was written: kept" in error
        assert Path("out/summary.csv").read_text() == "mine"

    def test_a_page_that_is_the_users_is_kept(self, analyse):
        Path("out").mkdir()
        Path("out/index.html").write_text("my home page")
        assert analyse("exams")[0] == 3
        assert Path("out/index.html").read_text() == "my home page"
        assert not Path("out/summary.csv").exists()

    def test_json_holds_failures_and_is_whole(self, analyse):
        status, out, _ = analyse("exams", "--json")
        assert status == 3
        first, second, third = json.loads(out)
        assert (first["exam"], first["status"], first["report"]) == ("p1", "done", "out/p1/report.html")
        assert (second["exam"], second["status"], second["exit_status"]) == ("p2", "failed", 3)
        assert "p2_4CH_ED.nii.gz" in second["reason"]
        assert third["quantities"] == json.loads(Path("out/p3/measures.json").read_text())["quantities"]
        again = json.loads(analyse("exams", "--json")[1])
        assert [item["status"] for item in again] == ["skipped", "failed", "skipped"]
        assert again[0]["quantities"] == first["quantities"]

    def test_segment_tells_the_same_way(self, command, model):
        words = ("segment", "exams", "--model", model, "--json")
        found = [(item["exam"], item["status"]) for item in json.loads(command(*words)[1])]
        assert found == [("p1", "done"), ("p2", "failed"), ("p3", "done")]
        again = json.loads(command(*words)[1])
        assert [item["status"] for item in again] == ["skipped", "failed", "skipped"]
        assert again[0]["files"] == ["p1_4CH_ED_labels.nii.gz", "p1_4CH_ES_labels.nii.gz"]

    def test_nothing_done_is_nothing_written(self, analyse):
        assert analyse("exams/p2", "nowhere")[0] == 3
        assert not Path("out").exists()

    def test_corrected_labels_of_one_exam_renew_that_alone(self, command, analyse):
        analyse("exams/p1", "exams/p3")
        words = ("measure", "exams/p1", "exams/p3", "--labels", "out", "--out", "measured")
        assert command(*words)[0] == 0
        assert command(*words)[1].count("was done") == 2
        shutil.copy("out/p1/p1_4CH_ES_labels.nii.gz", "out/p1/p1_4CH_ED_labels.nii.gz")
        out = command(*words)[1]
        assert [line.rpartition(" (")[2].startswith("was done") for line in out.splitlines() if "report:" in line] == [
            False,
            True,
        ]


def test_lines_come_as_exams_end_and_a_killed_run_goes_on(model, tmp_path):
    exams(tmp_path / "exams", 12)
    out = tmp_path / "out"
    words = ("analyse", tmp_path / "exams", "--model", model, "--out", out)
    process = subprocess.Popen(
        command_line(*words), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("p1: EF")
    end = time.monotonic() + 60
    while not list(out.glob(".*.partial")) and time.monotonic() < end:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
    assert 1 <= len(done) < 12
    (out / ".someone-elses.partial").mkdir()
    again = subprocess.run(command_line(*words), env=environment(), capture_output=True, text=True, check=True)
    assert again.stdout.count("was done") == len(done)
    hidden = sorted(path.name for path in out.iterdir() if path.name.startswith("."))
    assert hidden == [MANIFEST, ".someone-elses.partial"]
    assert len((out / "summary.csv").read_text().splitlines()) == 1 + 12
