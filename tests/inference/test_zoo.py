"""Models are found by name or path, the user's own folder first."""

import os
from pathlib import Path

import pytest

from cardiotrace.core.errors import InputError, ModelFileError
from cardiotrace.core.label import LV_ONLY
from cardiotrace.core.terms import Modality, View
from cardiotrace.inference import zoo
from cardiotrace.inference.model_file import seal
from cardiotrace.inference.spec import view_names
from tests.fake.models import make_spec, threshold_network


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shipped = tmp_path / "shipped"
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv(zoo.FOLDER_VARIABLE, str(own))
    monkeypatch.setattr(zoo, "model_folders", lambda: (own, shipped))
    return own


def add(folder: Path, name: str, **changes: object) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.onnx"
    path.write_bytes(seal(threshold_network(0.5), make_spec(LV_ONLY, name=name, **changes)))
    return path


def test_found_by_name_by_file_name_and_by_path(folder: Path) -> None:
    path = add(folder, "first")
    assert zoo.find_model("first") == path
    assert zoo.find_model("first.onnx") == path
    assert zoo.find_model(str(path)) == path
    assert zoo.load_model("first").spec.name == "first"


def test_the_own_folder_hides_a_shipped_model_of_the_same_name(folder: Path) -> None:
    add(folder.parent / "shipped", "same", summary="shipped")
    add(folder.parent / "shipped", "other")
    own = add(folder, "same", summary="own")
    assert zoo.find_model("same") == own
    assert [(listed.name, listed.spec.summary) for listed in zoo.list_models() if listed.spec] == [
        ("other", "A network for tests."),
        ("same", "own"),
    ]


def test_an_unknown_name_lists_what_there_is(folder: Path) -> None:
    with pytest.raises(InputError, match="no model comes with this installation"):
        zoo.find_model("none")
    add(folder, "first")
    with pytest.raises(InputError, match=r"there is no model 'none'\nmodels by name: first\."):
        zoo.find_model("none")


def test_a_name_does_not_climb_out_of_the_folder(folder: Path) -> None:
    add(folder.parent, "outside")
    with pytest.raises(InputError):
        zoo.find_model("../outside")


def test_a_damaged_file_is_listed_with_its_problem(folder: Path) -> None:
    (folder / "bad.onnx").write_bytes(b"nothing")
    (listed,) = zoo.list_models()
    assert listed.spec is None
    assert "not an ONNX model" in listed.problem
    with pytest.raises(ModelFileError):
        zoo.load_model("bad")


def test_another_file_under_the_name_is_read_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(folder, "first", views=(View.TWO_CHAMBER,))
    read = []
    monkeypatch.setattr(zoo, "read_spec", lambda path, own=zoo.read_spec: read.append(path) or own(path))
    assert [zoo.list_models()[0].spec for _ in range(2)] == [zoo.list_models()[0].spec] * 2
    assert len(read) == 1
    add(folder, "first", views=(View.FOUR_CHAMBER,), summary="Another network for tests.")
    (listed,) = zoo.list_models()
    assert listed.spec is not None
    assert listed.spec.views == (View.FOUR_CHAMBER,)


def test_the_default_for_a_view(folder: Path) -> None:
    add(folder, "a", views=(View.FOUR_CHAMBER, View.TWO_CHAMBER))
    preferred = add(folder, "b", views=(View.FOUR_CHAMBER,), default_for=(View.FOUR_CHAMBER,))
    assert zoo.default_model(View.FOUR_CHAMBER) == preferred
    assert zoo.default_model(View.TWO_CHAMBER).name == "a.onnx"
    with pytest.raises(InputError, match="there is no model for view SAX"):
        zoo.default_model(View.SAX)


def test_an_unknown_view_is_asked_for_and_no_model_is_proposed_for_it(folder: Path) -> None:
    add(folder, "a", views=(View.FOUR_CHAMBER,))
    with pytest.raises(InputError) as raised:
        zoo.default_model(View.UNKNOWN, Modality.MR)
    assert "--view SAX" in raised.value.remedy
    assert "models by name" not in raised.value.remedy


def test_models_of_one_modality_are_not_proposed_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(zoo.FOLDER_VARIABLE, raising=False)
    with pytest.raises(InputError, match="there is no model for view PSAX") as raised:
        zoo.default_model(View.SAX, Modality.US)
    assert "camus-4ch-unet1" in raised.value.remedy
    assert "cine-mri" not in raised.value.remedy
    assert "localiser" not in raised.value.remedy


def test_shipped_models_are_searched_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(zoo.FOLDER_VARIABLE, "/somewhere")
    assert zoo.model_folders()[0] == Path("/somewhere")
    assert zoo.model_folders()[-1].parts[-2:] == ("cardiotrace", "zoo")
    monkeypatch.delenv(zoo.FOLDER_VARIABLE)
    assert len(zoo.model_folders()) == 1


def test_shipped_models_are_the_default_of_their_modality(monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold the words of older files, such as A4C, and no modality: it follows from the words."""
    monkeypatch.delenv(zoo.FOLDER_VARIABLE, raising=False)
    found = {
        (view, modality): zoo.default_model(view, modality).name.removesuffix(".onnx")
        for view, modality in (
            (View.FOUR_CHAMBER, Modality.US),
            (View.TWO_CHAMBER, Modality.US),
            (View.THREE_CHAMBER, Modality.US),
            (View.SAX, Modality.MR),
            (View.FUNDUS, Modality.PHOTOGRAPH),
            (View.FOUR_CHAMBER, Modality.MR),
            (View.TWO_CHAMBER, Modality.MR),
            (View.THREE_CHAMBER, Modality.MR),
            (View.FOUR_CHAMBER, Modality.UNKNOWN),
        )
    }
    long_axis = ["cine-mri-long-axis"] * 3
    assert list(found.values()) == [
        "camus-4ch-unet1", "apical-echo-unet1", "apical-echo-small", "cine-mri", "retina-unet", *long_axis,
        "camus-4ch-unet1",
    ]  # fmt: skip
    with pytest.raises(InputError, match="there is no model for view PSAX"):
        zoo.default_model(View.SAX, Modality.US)
    told = {listed.name: view_names(listed.spec) for listed in zoo.list_models() if listed.spec}
    assert told["apical-echo-unet1"] == "A4C, A2C"
    assert (told["cine-mri-unet1"], told["retina-small"]) == ("SAX", "FUNDUS")


@pytest.mark.parametrize("name", ["deep", "pipe", "loop", "folder"])
def test_what_stands_in_the_folder_and_is_no_model_is_told(folder: Path, name: str) -> None:
    path = folder / f"{name}.onnx"
    {
        "deep": lambda: path.write_bytes(b"[" * 10_000),
        "pipe": lambda: os.mkfifo(path),
        "loop": lambda: path.symlink_to(path.name),
        "folder": path.mkdir,
    }[name]()
    sound = add(folder, "sound")
    assert [listed.spec is None for listed in zoo.list_models()] == [
        listed != "sound" for listed in sorted([name, "sound"])
    ]
    assert zoo.default_model(View.FOUR_CHAMBER) == sound
    with pytest.raises(InputError, match=name):
        zoo.load_model(name)
