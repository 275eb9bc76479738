"""Odd input: pipes and devices, names of every kind, numbers that are none. One clear line, and nothing hangs."""

import html
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from cardiotrace.inference import list_models
from cardiotrace.inference.message import delimited
from tests.cli.test_bad_input import RECIPE, empty_file, said_once
from tests.fake.models import write_camus_model


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def endless(path: Path) -> Path:
    path.symlink_to("/dev/zero")
    return path


def link_to_itself(path: Path) -> Path:
    path.symlink_to(path.name)
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


NO_FILES = [
    (pipe, "is a pipe, not a file"),
    (endless, "is a device, not a file"),
    (folder, "is a folder, not a file"),
    (link_to_itself, "cannot be read: Too many levels of symbolic links"),
    (empty_file, "not an ONNX model|missing key|is not valid JSON|has no .sweep. table"),
]


@pytest.mark.parametrize(("make", "said"), NO_FILES, ids=lambda value: getattr(value, "__name__", ""))
@pytest.mark.parametrize(
    "words",
    [
        ("models", "show", "FILE"),
        ("models", "verify", "FILE"),
        ("analyse", "PATIENT", "--model", "FILE", "--out", "OUT"),
        ("train", "FILE", "--data", "CAMUS", "--out", "OUT"),
        ("sweep", "FILE", "--data", "CAMUS", "--out", "OUT"),
        ("train", RECIPE, "--data", "CAMUS", "--out", "OUT", "--set", "data.split=FILE.json"),
        ("models", "join", "MODEL", "MODEL", "--tested", "FILE", "--out", "OUT.onnx"),
    ],
    ids=lambda words: " ".join(map(str, words[:2])),
)
def test_what_is_no_file_is_refused_at_once(command, camus, model, tmp_path, words, make, said):
    file = make(tmp_path / ("x.json" if "data.split=FILE.json" in words else "x"))
    values = {"FILE.json": file, "FILE": file, "CAMUS": camus, "MODEL": model, "OUT": tmp_path / "out"}
    values["PATIENT"] = camus / "database_nifti" / "patient0001"
    given = []
    for word in map(str, words):
        for name, value in values.items():
            word = word.replace(name, str(value))
        given.append(word)
    status, out, error = command(*given)
    assert status == 3
    first = said_once(error)[0]
    assert re.search(said, first), first
    assert out == ""
    assert not (tmp_path / "out").exists()


def test_bad_files_among_the_users_models_stop_nothing(command, camus, model, tmp_path, monkeypatch):
    own = tmp_path / "models"
    own.mkdir()
    content = model.read_bytes()
    deep = json.dumps({"format_version": 1, "scores": 0}).replace("0", "[" * 90_000 + "]" * 90_000)
    endings = {
        "deep": onnx_with(content, deep.encode()),
        "digits": onnx_with(content, b'{"format_version": ' + b"9" * 5000 + b"}"),
        "twice": onnx_with(content, b'{"format_version": 1, "format_version": 1}'),
        "list": onnx_with(content, b"[]"),
        "text": b"<html>",
        "none": b"",
    }
    for name, ending in endings.items():
        (own / f"{name}.onnx").write_bytes(ending)
    pipe(own / "pipe.onnx")
    link_to_itself(own / "loop.onnx")
    folder(own / "folder.onnx")
    named = "[b]x[/b]\x1b[31m"
    write_camus_model(own / "[b]a[.onnx", name=named, summary="[/red] \x1b[2J")
    shipped = len(list_models())
    monkeypatch.setenv("CARDIOTRACE_MODELS", str(own))
    status, out, error = command("models", "list")
    assert (status, error) == (0, "")
    assert "\x1b" not in out
    for word in ("[b]a[", "[/red] \\u001b[2J", *endings, "is a pipe, not a file", "cine-mri-unet1"):
        assert word in out
    assert len(json.loads(command("models", "list", "--json")[1])) == len(endings) + 4 + shipped
    status, out, error = command("models", "show", "[b]a[")
    assert (status, out.splitlines()[0]) == (0, "# [b]x[/b]\\u001b[31m")
    patient = camus / "database_nifti" / "patient0001"
    assert command("segment", patient, "--out", tmp_path / "out")[0] == 0


def onnx_with(model: bytes, description: bytes) -> bytes:
    """The network of a sealed model with another description."""
    network = model[: model.index(b"\x0a\x0bcardiotrace\x12")]
    return network[: network.rindex(b"\x72")] + delimited(14, delimited(1, b"cardiotrace") + delimited(2, description))


NAMES = (
    "Ünï cöde ♥",
    "with  space",
    "[b]x[",
    "\x1b[31mred",
    "two\nlines",
    "-dash",
    "=1+1",
    os.fsdecode(b"not-utf8-\xff"),
)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_of_any_kind(camus, model, tmp_path, command, name):
    exam = tmp_path / "exams" / name
    shutil.copytree(camus / "database_nifti" / "patient0001", exam)
    for words in (("show", exam), ("show", exam, "--json")):
        status, out, error = command(*words)
        assert (status, error) == (0, "")
        assert "\x1b" not in out
        out.encode("utf-8")
    status, out, error = command("analyse", exam, "--model", model, "--out", tmp_path / "out", "--json")
    assert (status, error) == (0, "")
    assert json.loads(out)[0]["exam"] == name
    page = (tmp_path / "out" / name / "report.html").read_text(encoding="utf-8")
    written = name.encode("utf-8", "backslashreplace").decode()
    assert f"<title>{written} · CardioTrace report</title>" in html.unescape(page)
    assert page.rstrip().endswith("</html>")


@pytest.mark.parametrize(
    ("words", "said", "status"),
    [
        (("show", "x", "--modality", "PET"), "'PET' is no word for a modality\nchoose from: US, MR, photograph", 2),
        (("show", "x", "--view", "A9C"), "'A9C' is no word for a view\nchoose from: 2CH, A2C, 3CH", 2),
        (("export", "x", "--default-for", "4C"), "'4C' is no word for a view", 2),
        (("export", "x", "--default-for", "A4C", "2ch"), "x: holds no trained weights", 3),
        (("analyse", "x", "--modalty", "US"), "Perhaps you meant", 2),
        (("show", "x", "--modality", "mri"), "x: there is no such file", 3),
        (("crossval", "x", "--folds", "1"), "--folds must be at least 2, got 1", 2),
        (("crossval", "x", "--jobs", "0"), "--jobs must be at least 1, got 0", 2),
        (("demo", "--seed", "-1", "--out", "OUT"), "seed: -1 is negative", 2),
        (
            ("data", "split", "camus", "CAMUS", "--folds", "3", "--seed", "-1"),
            "a seed is a whole number of 0 or more",
            3,
        ),
        (("data", "split", "camus", "CAMUS", "--folds", "3", "--stratify", "x"), "no patient has a group 'x'", 3),
        (("data", "split", "camus", "CAMUS", "--folds", "2"), "2 folds of 3 patients cannot be\nchoose 3 folds", 3),
        (("data", "pack", "camus", "CAMUS", "--width", "9999999"), "sides must be 1 to 16384 pixels", 3),
        (
            ("plan", "--dataset", "camus", "--data", "CAMUS", "--memory-gb", "nan"),
            "memory must be a positive number",
            3,
        ),
        (("plan", "--dataset", "camus", "--data", "CAMUS", "--memory-gb", "1e-9"), "no network fits", 3),
        (("models", "join", "MODEL", "MODEL", "--name", "../x"), "name must be at most 200 letters", 3),
        (("models", "show", "n" * 300), "there is no model 'nnn", 3),
        (("data", "lint", "camus", "n" * 300), "File name too long", 4),
        (("train", RECIPE, "--data", "CAMUS", "--fold", "0"), "camus has no fold 0: folds are 1 to 10", 3),
        (("train", RECIPE, "--data", "CAMUS", "--set", "training.epochs=nan"), "cannot be used: nan is no number", 2),
        (("train", RECIPE, "--data", "CAMUS", "--set", "seed=" + "9" * 5000), "a number of thousands of digits", 2),
        (("train", RECIPE, "--data", "CAMUS", "--set", "seed=" + "[" * 5000), "nested too deeply", 2),
        (("train", RECIPE, "--data", "CAMUS", "--set", "data.split='a\\u0000.json'"), "a\\u0000.json: ", 3),
        (
            ("train", RECIPE, "--data", "CAMUS", "--set", "optimiser.learning_rate=1" + "0" * 400),
            "is too large a number",
            3,
        ),
    ],
    ids=lambda value: " ".join(map(str, value))[:60] if isinstance(value, tuple) else "",
)
def test_odd_words_and_numbers(command, camus, model, tmp_path, words, said, status):
    places = {"CAMUS": camus, "MODEL": model, "OUT": tmp_path / "out"}
    found, _, error = command(*(places.get(word, word) for word in words))
    assert found == status, error
    assert said in error
    assert "Traceback" not in error
    assert "unexpected" not in error
    assert list(tmp_path.iterdir()) == []
