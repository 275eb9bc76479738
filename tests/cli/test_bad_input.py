"""Bad input: one clear message, the right exit status, nothing half-written, and the other exams are done."""

import gzip
import json
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import safetensors
from PIL import Image

from cardiotrace.workflows.services.tracing import trace_exam
from tests.command import cardiotrace, command_line, environment, one_after_another
from tests.fake.camus import write_camus
from tests.fake.heart import set_spacing, write_nifti

SPACING_MM = (0.3, 0.3)


def image(path: Path, array=None, spacing_mm=SPACING_MM) -> Path:
    write_nifti(path, np.full((40, 48), 90, np.uint8) if array is None else array, spacing_mm)
    return path


def truncated(path: Path) -> Path:
    noise = np.random.default_rng(0).integers(0, 255, (40, 48)).astype(np.uint8)
    content = image(path, noise).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def text(path: Path) -> Path:
    path.write_text("<html>404 not found</html>")
    return path


def five_axes(path: Path) -> Path:
    return image(path, np.zeros((2, 2, 2, 5, 4), np.uint8), (1.0,) * 5)


def not_numbers(path: Path) -> Path:
    array = np.ones((40, 48), np.float32)
    array[3, 4:6] = np.nan
    return image(path, array)


def no_spacing(path: Path) -> Path:
    set_spacing(image(path), (0.0, 0.3))
    return path


def negative_spacing(path: Path) -> Path:
    set_spacing(image(path), (-0.3, 0.3))
    return path


def empty_file(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def absurd_size(path: Path) -> Path:
    content = bytearray(gzip.decompress(image(path).read_bytes()))
    content[42:46] = np.array([30000, 30000], "<i2").tobytes()
    path.write_bytes(gzip.compress(bytes(content)))
    return path


BAD_FILES = [
    (truncated, "ends early: .* bytes are there"),
    (text, "is a web page, no image"),
    (five_axes, "2 to 4 axes"),
    (not_numbers, "2 of 1920 pixels are NaN"),
    (no_spacing, "spacing must be positive"),
    (negative_spacing, "spacing must be positive"),
    (empty_file, "empty"),
    (absurd_size, "claims"),
]


def said_once(error: str) -> list[str]:
    """The lines of a message: two or three at most, and no traceback."""
    assert "Traceback" not in error
    lines = error.strip().splitlines()
    assert len(lines) <= 3, error
    assert lines[0].startswith("cardiotrace: ")
    return lines


@pytest.mark.parametrize(("make", "said"), BAD_FILES, ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize("verb", ["show", "segment", "analyse"])
def test_bad_files(command, tmp_path, model, make, said, verb):
    path = make(tmp_path / "x_4CH_ED.nii.gz")
    words = [] if verb == "show" else ["--model", model, "--out", tmp_path / "out"]
    status, out, error = command(verb, path, *words)
    assert status == 3
    first = said_once(error)[0]
    assert str(path) in first
    assert re.search(said, first)
    assert out == ""
    assert not (tmp_path / "out").exists()


def test_a_coloured_image_for_a_model_of_grey_ones_is_luma_and_that_is_told(command, tmp_path, model):
    pixels = np.zeros((40, 48, 3), np.uint8)
    pixels[..., 0] = 90
    Image.fromarray(pixels).save(tmp_path / "x_4CH_ED.png")
    status, said, _ = command("segment", tmp_path / "x_4CH_ED.png", "--model", model, "--out", tmp_path / "out")
    assert status == 0
    assert "look twice: x_4CH_ED: 100 % of" in said


@pytest.mark.parametrize("verb", ["show", "analyse"])
def test_folder_without_images_and_path_without_anything(command, tmp_path, model, verb):
    (tmp_path / "empty").mkdir()
    for place, said in ((tmp_path / "empty", "holds no image"), (tmp_path / "missing", "no such file or folder")):
        words = [] if verb == "show" else ["--model", model, "--out", tmp_path / "out"]
        status, _, error = command(verb, place, *words)
        assert status == 3
        assert said_once(error)[0] == f"cardiotrace: {place}: {'there is ' * ('such' in said)}{said}"
    assert not (tmp_path / "out").exists()


def damage(content: bytes, kind: str) -> bytes:
    if kind == "changed byte":
        middle = content.index(b"logits")
        return content[:middle] + b"L" + content[middle + 1 :]
    if kind == "other version":
        return content.replace(b'"format_version":2', b'"format_version":9')
    if kind == "cut off":
        return content[:-20]
    return b"not a network at all" * 10


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("changed byte", "changed after it was sealed"),
        ("other version", "newer CardioTrace: file format 9, this program reads up to 6"),
        ("cut off", "cut off|cut short|no checksum"),
        ("not ONNX", "not an ONNX"),
    ],
)
def test_bad_model_files(command, tmp_path, camus, model, kind, said):
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(damage(model.read_bytes(), kind))
    exams = camus / "database_nifti"
    for words in (("analyse", exams, "--model", bad, "--out", tmp_path / "out"), ("models", "verify", bad)):
        status, out, error = command(*words)
        assert status == 3
        first = said_once(error)[0]
        assert str(bad) in first
        assert re.search(said, first), first
        assert out == ""
    assert not (tmp_path / "out").exists()


def test_models_that_are_not_there(command, tmp_path, camus):
    exams = camus / "database_nifti"
    status, _, error = command("segment", exams, "--model", "nonesuch", "--out", tmp_path / "out")
    assert status == 3
    assert "there is no model 'nonesuch'" in said_once(error)[0]


RECIPE = Path(__file__).parents[2] / "recipes/camus-unet1.toml"
MISTAKES = (
    ("training.epoch=2", "'training.epoch'", "did you mean 'epochs'?"),
    ("training.epochs=two", "training.epochs: expected int", ""),
    ("architecture=unet9", "unet9", "choose from"),
    ("data.dataset.view=4CH", "data.dataset.view", "did you mean 'views'?"),
    ("training.epochs=0", "training: epochs", ""),
)


def test_recipes_with_a_mistake(tmp_path, camus):
    words = ("train", RECIPE, "--data", camus, "--out", tmp_path / "run", "--set")
    answers, _ = one_after_another(*((*words, change) for change, _, _ in MISTAKES))
    for (status, _, error), (_, said, remedy) in zip(answers, MISTAKES, strict=True):
        assert status == 3
        assert said in said_once(error)[0]
        assert remedy in error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("analyse", "PATIENT", "--scheme", "camsu"), "there is no label scheme 'camsu'"),
        (("measure", "PATIENT", "--labels", "PATIENT", "--scheme", "x"), "there is no label scheme 'x'"),
        (("compare", "CAMUS"), "at least two runs"),
        (("evaluate", "MODEL", "CAMUS"), "a model is scored on a data set"),
        (("evaluate", "CAMUS", "CAMUS"), "need a scheme"),
        (("evaluate", "CAMUS", "CAMUS", "--scheme", "x"), "there is no label scheme 'x'"),
        (("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--option", "views"), "expected KEY=VALUE"),
        (("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--only", "quality"), "expected KEY=GROUP"),
        (("evaluate", "CAMUS", "CAMUS", "--scheme", "camus", "--limits", "fit"), "limits can be fitted only"),
        (("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--worst", "0"), "the worst 0 cases"),
        (("evaluate", "CAMUS", "CAMUS", "--scheme", "camus", "--fold", "3"), "--fold is for data sets"),
        (("evaluate", "CAMUS", "CAMUS", "--scheme", "camus", "--part", "testing"), "--part is for data sets"),
        (("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--scheme", "acdc"), "--scheme is for two folders"),
        (("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--fold", "3"), "--fold has no effect with --part all"),
        (("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--split", "x"), "--split has no effect"),
        (("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--part", "testing", "--folds", "5"), "--folds is for"),
        (("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--by", "hospital"), "no case has a group 'hospital'"),
        (("evaluate", "CAMUS", "CAMUS", "--scheme", "camus", "--spacing-mm", "1e300", "1e300"), "no pixel or slice"),
        (("evaluate", "CAMUS", "CAMUS", "--scheme", "camus", "--spacing-mm", "nan", "1"), "no pixel or slice"),
        (("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--out", "x.txt"), "names no kind of table"),
        (("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--out", "CAMUS/patients_info.csv"), "is no table of"),
        (("export", "CAMUS", "--out", "CAMUS/patients_info.csv"), "names no model file"),
        (("models", "join", "MODEL", "MODEL", "--out", "MODEL"), "this would overwrite a member"),
        (("data", "export-nnunet", "camus", "CAMUS", "--out", "CAMUS"), "is a folder of the data set itself"),
    ],
)
def test_words_that_do_not_fit_together(command, camus, model, tmp_path, words, said):
    places = {"PATIENT": camus / "database_nifti" / "patient0001", "CAMUS": camus, "MODEL": model}
    places["CAMUS/patients_info.csv"] = camus / "patients_info.csv"
    out = ("--out", tmp_path / "out") if words[0] in ("analyse", "measure") else ()
    before = (camus / "patients_info.csv").read_bytes()
    status, _, error = command(*(places.get(word, word) for word in words), *out)
    assert (camus / "patients_info.csv").read_bytes() == before
    assert status == 2
    assert said in said_once(error)[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("data", "lint", "camsu", "CAMUS"), "there is no data set 'camsu'"),
        (("data", "lint", "camus", "MISSING"), "there is no such folder"),
        (("data", "lint", "acdc", "CAMUS"), "holds no"),
        (("data", "split", "camus", "CAMUS", "--folds", "9"), "9 folds of 3 patients"),
        (("data", "export-nnunet", "camus", "CAMUS", "--split", "x", "--out", "OUT"), "camus has no split 'x'"),
        (("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--split", "x", "--part", "testing"), "no split 'x'"),
        (("evaluate", "MISSING", "CAMUS", "--scheme", "camus"), "a model is scored"),
        (("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--only", "quality=fine"), "no case has quality fine"),
        (("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--limits", "x"), "no outlier limits 'x'"),
        (("compare", "MISSING", "CAMUS"), "holds no table of cases"),
        (("compare", "CAMUS", "--published", "echonet"), "no published scores of 'echonet'"),
        (("models", "show", "nonesuch"), "there is no model 'nonesuch'"),
    ],
)
def test_data_that_is_not_there(command, camus, model, tmp_path, words, said):
    places = {"CAMUS": camus, "MODEL": model, "MISSING": tmp_path / "missing", "OUT": tmp_path / "out"}
    status, _, error = command(*(places.get(word, word) for word in words))
    assert status == (2 if "scored" in said else 3)
    assert said in said_once(error)[0]
    assert list(tmp_path.iterdir()) == []


def test_one_bad_exam_of_a_batch(command, tmp_path, model):
    write_camus(tmp_path, patients=3)
    patients = tmp_path / "database_nifti"
    truncated(patients / "patient0002" / "patient0002_2CH_ES.nii.gz")
    status, out, error = command("analyse", patients, "--model", model, "--out", tmp_path / "out")
    assert status == 3
    assert [line.split(":")[0] for line in out.splitlines() if not line.startswith(" ")] == [
        "patient0001",
        "patient0003",
        "all exams",
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        ".cardiotrace.json",
        "index.html",
        "patient0001",
        "patient0003",
        "summary.csv",
    ]
    lines = error.splitlines()
    assert lines[0] == "cardiotrace: 1 of 3 exams failed:"
    assert lines[1].startswith("  patient0002: ")
    assert "patient0002_2CH_ES.nii.gz" in lines[1]
    shown = command("show", patients, "--json")
    assert shown[0] == 3
    assert [bool(exam["problem"]) for exam in json.loads(shown[1])] == [False, True, False]


def test_a_fault_of_the_program_loses_one_exam_only(command, tmp_path, camus, model, monkeypatch):
    def broken(exam, models, **options):
        return {}["a bug"] if exam.name == "patient0002" else trace_exam(exam, models, **options)

    monkeypatch.setattr("cardiotrace.workflows.services.analysis.trace_exam", broken)
    words = ("segment", camus / "database_nifti", "--model", model, "--out", tmp_path / "out")
    status, out, error = command(*words)
    assert status == 4
    told = [line for line in out.splitlines() if not line.startswith(" ")]
    assert [Path(line.split(":")[0]).name for line in told] == ["patient0001", "patient0003"]
    assert "unexpected KeyError: 'a bug'" in error
    assert "Traceback" not in error


def test_debug_shows_the_traceback_of_a_failed_exam(tmp_path, model):
    path = truncated(tmp_path / "x_4CH_ED.nii.gz")
    done = cardiotrace("segment", path, "--model", model, "--out", tmp_path / "out", "--debug")
    assert done.returncode == 3
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stderr.splitlines()[-2].startswith("cardiotrace: ")


@pytest.mark.parametrize("verb", ["analyse", "segment"])
def test_results_never_take_the_place_of_the_exam(command, camus, model, tmp_path, verb):
    patient = tmp_path / "patient0001"
    shutil.copytree(camus / "database_nifti" / "patient0001", patient)
    before = sorted(path.name for path in patient.iterdir())
    status, _, error = command(verb, patient, "--model", model, "--out", tmp_path)
    assert status == 2
    assert "which is no result" in said_once(error)[0]
    assert sorted(path.name for path in patient.iterdir()) == before
    assert command(verb, patient, "--model", model, "--out", tmp_path / "out")[0] == 0
    assert command(verb, patient, "--model", model, "--out", tmp_path / "out")[0] == 0  # its own may be replaced


OUTPUTS = {
    "analyse": ("analyse", "PATIENT", "--model", "MODEL", "--out", "PLACE/out"),
    "segment": ("segment", "PATIENT", "--model", "MODEL", "--out", "PLACE/out"),
    "demo": ("demo", "--model", "MODEL", "--out", "PLACE/out"),
    "measure": ("measure", "PATIENT", "--labels", "PATIENT", "--out", "PLACE/out"),
    "evaluate": ("evaluate", "MODEL", "CAMUS", "--dataset", "camus", "--out", "PLACE/table.json"),
    "data pack": ("data", "pack", "camus", "CAMUS", "--cache", "PLACE/cache"),
    "data split": ("data", "split", "camus", "CAMUS", "--folds", "3", "--out", "PLACE/splits"),
    "data export-nnunet": ("data", "export-nnunet", "camus", "CAMUS", "--out", "PLACE/nnunet"),
}


def words_for(verb: str, camus: Path, model: Path, place: Path) -> list[str]:
    values = {"PATIENT": camus / "database_nifti" / "patient0001", "CAMUS": camus, "MODEL": model, "PLACE": place}
    words = []
    for word in OUTPUTS[verb]:
        for name, value in values.items():
            word = word.replace(name, str(value))
        words.append(word)
    return words


@pytest.mark.parametrize("verb", OUTPUTS)
def test_places_that_cannot_be_written(command, camus, model, tmp_path, verb):
    (tmp_path / "file").write_text("mine")
    status, _, error = command(*words_for(verb, camus, model, tmp_path / "file"))
    assert status == 4
    assert str(tmp_path / "file") in said_once(error)[0]
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.fixture
def full_disk(tmp_path):
    """A file system of 64 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no small file system can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("verb", ["analyse", "data pack", "data export-nnunet"])
def test_full_disk(command, camus, model, full_disk, verb):
    (full_disk / "ballast").write_bytes(bytes(60 * 1024))
    status, _, error = command(*words_for(verb, camus, model, full_disk))
    assert status == 4
    assert "the disk is full" in "\n".join(said_once(error))
    left = [path for path in full_disk.rglob("*") if path.name.startswith(".") or path.name == "report.html"]
    assert left == []


@pytest.mark.parametrize("verb", ["analyse", "evaluate", "data pack"])
def test_files_that_may_not_grow(camus, model, tmp_path, verb):
    """Where nothing can be mounted: a limit on the size of files stops a write in its middle, as a full disk does."""
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500)); "
    run = "import sys; from cardiotrace.cli.main import main; sys.exit(main(sys.argv[1:]))"
    words = command_line()
    done = subprocess.run(
        [words[0], "-c", limit + run, *words_for(verb, camus, model, tmp_path)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert re.search("larger than this file system|files may not grow", "\n".join(said_once(done.stderr)))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def wait_for(condition, process, seconds=120.0):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.02)


def test_interrupted_between_exams(model, tmp_path):
    """The exams that are done stay, the one in work leaves nothing."""
    original = tmp_path / "exams" / "p000_4CH"
    image(original / "x_sequence.nii.gz", np.full((12, 80, 80), 90, np.uint8), (1.0, *SPACING_MM))
    for number in range(1, 60):
        shutil.copytree(original, original.with_name(f"p{number:03d}_4CH"))
    out = tmp_path / "out"
    process = subprocess.Popen(
        command_line("analyse", tmp_path / "exams", "--model", model, "--view", "A4C", "--out", out, "--frame-images"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: len(list(out.glob("p*"))) >= 2, process)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said_once(error) == ["cardiotrace: interrupted; nothing is left half-written"]
    done = sorted(out.iterdir())
    assert 2 <= len(done) < 60
    for folder in done:
        assert not folder.name.startswith(".")
        assert sorted(path.name for path in folder.iterdir()) == [
            ".cardiotrace.json",
            "figures",
            "measures.csv",
            "measures.json",
            "report.html",
            "x_sequence_labels.nii.gz",
        ]
        assert len(list((folder / "figures" / "frames").iterdir())) == 12


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_training_goes_on(camus, tmp_path, number, status):
    words = [
        *("train", RECIPE, "--data", camus, "--out", tmp_path / "run", "--cache", tmp_path / "cache", "--set"),
        *('architecture={name="unet",levels=2,width=4}', "data.split=k-fold", "data.folds=3", "training.batch_size=2"),
        'preprocessing=[{name="resize",height=32,width=32},{name="z-score"}]',
    ]
    process = subprocess.Popen(
        command_line(*words, "training.epochs=100000"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = tmp_path / "run" / "journal.jsonl"
    wait_for(lambda: journal.exists() and journal.read_text().count("\n") >= 2, process)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == status
    assert said_once(error) == ["cardiotrace: interrupted; nothing is left half-written"]
    hidden = [path for path in tmp_path.rglob("*") if path.name.startswith(".")]
    assert hidden == []
    rows = journal.read_text().splitlines()
    assert [json.loads(row)["epoch"] for row in rows] == list(range(1, len(rows) + 1))
    again = cardiotrace(*words, "training.epochs=100000")
    assert again.returncode == 2
    assert "holds a run already" in again.stderr
    with safetensors.safe_open(tmp_path / "run" / "checkpoint.safetensors", framework="np") as file:
        epoch = json.loads(file.metadata()["state"])["epoch"]
    # It is written after its row of the journal, and the signal may fall between both.
    assert len(rows) - 1 <= epoch <= len(rows)
