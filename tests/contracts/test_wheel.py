"""What is handed out says under which terms: the code under one licence, each model under that of its data."""

import email
import os
import re
import tomllib
import zipfile
from pathlib import Path

import pytest

from cardiotrace.clinical.groups.classifier import read_classifier
from cardiotrace.core.licence import Terms
from cardiotrace.inference.model_file import read_spec

ROOT = Path(__file__).parents[2]
ZOO = ROOT / "src" / "cardiotrace" / "zoo"
MODELS = sorted([*ZOO.glob("*.onnx"), *ZOO.glob("*.json")])
IDENTIFIERS = {
    "CC BY-NC-SA 4.0": "CC-BY-NC-SA-4.0",
    "public reference set of Kingston University, for research": "LicenseRef-CHASE-DB1",
    "research and educational use (DRIVE)": "LicenseRef-research-use",
    "research use (M&Ms, M&Ms-2, DRIVE)": "LicenseRef-research-use",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def terms_of(model):
    """What a network or a classifier of groups states of itself."""
    if model.suffix == ".json":
        return read_classifier(model).terms
    spec = read_spec(model)
    return Terms(spec.licence, spec.citation)


def licence_of(model):
    """The identifier of the terms of a model; data that ask for nothing leave it those of the code."""
    stated = [IDENTIFIERS[text] for text in terms_of(model).licence.split("; ") if text != "phantoms, free of terms"]
    return " AND ".join(sorted(stated)) or "Apache-2.0"


def test_the_notice_states_the_licence_that_each_model_states_of_itself():
    notice = (ROOT / "NOTICE").read_text()
    listed = dict(re.findall(r"^(\S+) {2,}(\S.*)$", notice, re.MULTILINE))
    del listed["model"]
    assert listed == {model.stem: licence_of(model) for model in MODELS}
    identifiers = {each for text in listed.values() for each in text.split(" AND ")}
    assert all(re.search(rf"^{identifier}: ", notice, re.MULTILINE) for identifier in identifiers)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.stem)
def test_the_licence_stands_beside_each_model(model):
    card = model.with_suffix(".md").read_text()
    assert terms_of(model).licence in card
    assert terms_of(model).citation in card


def test_the_licence_of_the_package_covers_code_and_models():
    assert set(PROJECT["license"].split(" AND ")) == {
        "Apache-2.0",
        *(each for model in MODELS for each in licence_of(model).split(" AND ")),
    }


def test_the_wheel_holds_what_it_says(tmp_path, monkeypatch):
    build = pytest.importorskip("hatchling.build")
    monkeypatch.chdir(ROOT)
    monkeypatch.setitem(os.environ, "SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setitem(os.environ, "CARDIOTRACE_PAGE", "skip")  # tests/server/test_page.py looks for it
    with zipfile.ZipFile(tmp_path / build.build_wheel(str(tmp_path))) as wheel:
        names = set(wheel.namelist())
        info = next(name for name in names if name.endswith(".dist-info/METADATA"))
        about = email.message_from_bytes(wheel.read(info))
        folder = info.removesuffix("METADATA")
        assert wheel.read(f"{folder}licenses/NOTICE") == (ROOT / "NOTICE").read_bytes()
        assert wheel.read(f"{folder}licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
        assert wheel.read("cardiotrace/zoo/camus-4ch-small.onnx") == (ZOO / "camus-4ch-small.onnx").read_bytes()
    assert about["License-Expression"] == PROJECT["license"]
    assert about.get_all("License-File") == ["LICENSE", "NOTICE"]
    assert {f"cardiotrace/zoo/{path.name}" for path in ZOO.iterdir()} <= names
    assert "cardiotrace/py.typed" in names
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"cardiotrace", folder.rstrip("/")}
