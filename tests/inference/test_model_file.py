"""A sealed model file stays an ONNX file, tells what it is, and notices every changed byte."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.clinical.expected import Linear
from cardiotrace.clinical.interval import Error
from cardiotrace.clinical.intervals.calibration import Bounded, ErrorCalibration, IntervalCalibration
from cardiotrace.clinical.method import Method
from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.label import CAMUS, LV_ONLY, LabelScheme
from cardiotrace.core.terms import Structure, View
from cardiotrace.inference.message import delimited
from cardiotrace.inference.model_file import (
    CHECKSUM_KEY,
    SPEC_KEY,
    Model,
    open_seal,
    read_model,
    read_spec,
    seal,
    verify,
)
from cardiotrace.inference.spec import Calibration, TrainingSpec, spec_from_plain, spec_to_plain
from cardiotrace.postprocessing import Postprocessing
from tests.fake.models import make_model, make_spec, prompted_network, resize, threshold_network

NETWORK = threshold_network(0.25, 0.5, 0.75)
SPEC = make_spec(
    CAMUS,
    preprocessing=resize(256, 256),
    postprocessing=Postprocessing([Choice("largest-component", {"structures": ["LV", "MYO"]})]),
    training=TrainingSpec(data_set="camus", seed=7, versions={"torch": "2.13.0"}),
    scores={"LV": {"dice": 0.93, "hd_mm": float("inf")}},
    shape_limits={"LV": {"simplicity": 0.7}},
    licence="CC BY-NC-SA 4.0 – données",
)
SEALED = seal(NETWORK, SPEC)


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    return path


def test_description_round_trips_through_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, SEALED)
    read = read_spec(path)
    expected = spec_to_plain(SPEC)
    assert expected["scores"] == {"LV": {"dice": 0.93, "hd_mm": None}}  # JSON has no infinity
    assert read.scores == expected["scores"]
    assert spec_to_plain(read) | {"scores": 0} == expected | {"scores": 0}
    assert read.training.seed == 7
    assert read.licence == "CC BY-NC-SA 4.0 – données"
    assert read.views == (View.FOUR_CHAMBER,)
    assert read.label_scheme.value(Structure.LA) == 3
    assert read.preprocessing.transform_for((10, 20), None).shape == (256, 256)
    assert verify(path).name == "tiny"
    assert read_model(path).content == SEALED


def test_sealed_file_is_a_valid_onnx_model_with_the_description_in_its_metadata() -> None:
    model = onnx.load_from_string(SEALED)
    onnx.checker.check_model(model)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert list(metadata) == ["cardiotrace", "cardiotrace.sha256"]
    assert json.loads(metadata["cardiotrace"])["classes"] == 4
    assert metadata["cardiotrace.sha256"] == hashlib.sha256(SEALED[:-88]).hexdigest()
    assert model.graph == onnx.load_from_string(NETWORK).graph


def test_sealing_again_replaces_the_seal_and_keeps_foreign_metadata() -> None:
    model = onnx.load_from_string(NETWORK)
    model.metadata_props.add(key="author", value="somebody")
    once = seal(model.SerializeToString(), SPEC)
    twice = seal(once, dataclasses.replace(SPEC, summary="Another."))
    assert open_seal(twice).summary == "Another."
    keys = [entry.key for entry in onnx.load_from_string(twice).metadata_props]
    assert keys == ["author", "cardiotrace", "cardiotrace.sha256"]
    assert seal(twice, SPEC) == once


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(position: int, difference: int) -> None:
    changed = bytearray(SEALED)
    changed[position] ^= difference
    with pytest.raises(ModelFileError):
        open_seal(bytes(changed))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(SEALED) - 1))
def test_any_truncation_is_noticed(length: int) -> None:
    with pytest.raises(ModelFileError):
        open_seal(SEALED[:length])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(ModelFileError, match=r"ONNX|description|metadata entry"):
        open_seal(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an ONNX model"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not an ONNX model"),
        (NETWORK, "no description of CardioTrace"),
        (SEALED[:-1], "cut off"),
        (SEALED[:-88], "no checksum"),
        (SEALED + SEALED[-88:], "was changed after it was sealed"),
        (SEALED.replace(b"A network for tests.", b"A network for TESTS."), "was changed after it was sealed"),
    ],
)
def test_what_is_wrong_is_said_with_the_path(tmp_path: Path, content: bytes, message: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(ModelFileError, match=message) as caught:
        verify(path)
    assert str(path) in str(caught.value)


def test_a_cut_off_file_is_noticed_without_reading_the_checksum(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cut off"):
        read_spec(write(tmp_path, SEALED[: len(NETWORK) // 2]))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such model file"):
        read_spec(tmp_path / "none.onnx")
    with pytest.raises(ModelFileError, match="is a folder, not a file"):
        verify(tmp_path)


def test_facts_that_a_newer_program_added_are_passed_over() -> None:
    plain = spec_to_plain(SPEC)
    plain["training"]["carbon_kg"] = 3
    newer = plain | {"interval_percent": {"low": 1}}
    assert spec_to_plain(spec_from_plain(newer)) == spec_to_plain(spec_from_plain(spec_to_plain(SPEC)))


def test_a_calibration_is_read_back_to_the_last_digit_and_older_programs_can_use_the_model() -> None:
    error = ErrorCalibration(
        "left_ventricular_ejection_fraction_percent",
        "A4C",
        Method.SINGLE_PLANE_DISKS,
        Error.WHOLE,
        0.9,
        {"": (-1.5, 1.75), "poor": (-2.0, 2.5)},
        expected=Bounded(Linear(-1.5, {"ejection": (48.0, 12.5, -3.25)}), -9.0, 8.0),
    )
    calibration = Calibration(temperature=1.5, intervals=IntervalCalibration((error,), 0.6, basis="20 patients"))
    plain = spec_to_plain(dataclasses.replace(SPEC, calibration=calibration))
    assert plain["format_version"] == spec_to_plain(SPEC)["format_version"]
    assert spec_from_plain(json.loads(json.dumps(plain, allow_nan=False))).calibration == calibration
    plain["calibration"]["intervals"]["errors"][0]["carbon_kg"] = 3
    assert spec_from_plain(plain).calibration == calibration
    with pytest.raises(ModelFileError, match="temperature of 0"):
        Calibration(temperature=0.0)


def test_another_format_version_is_refused_before_its_keys_are_read() -> None:
    future = spec_to_plain(SPEC) | {"format_version": 7, "new_key": 1}
    with pytest.raises(ModelFileError, match="newer CardioTrace: file format 7, this program reads up to 6"):
        spec_from_plain(future)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preprocessing": [{"name": "resize", "new_key": 1}]}, "unknown key 'preprocessing.*new_key'"),
        ({"calibration": {"threshold": "0.5"}}, "calibration.threshold: expected float"),
        ({"classes": 3}, "3 classes for 3 structures"),
        ({"scheme": {"name": "x", "values": {"KIDNEY": 1}}}, "unknown structure 'KIDNEY'"),
        ({"preprocessing": [{"name": "fold"}]}, "no preprocessing step 'fold'"),
        ({"mirror_axes": ["time"]}, "mirror axes are height and width"),
    ],
)
def test_a_description_that_cannot_be_used_says_why(change: dict[str, object], message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        spec_from_plain(spec_to_plain(SPEC) | change)


def test_sealing_what_is_no_network_is_refused() -> None:
    with pytest.raises(ModelFileError, match="not an ONNX model"):
        seal(b"", SPEC)


def test_reading_a_description_skips_the_weights(tmp_path: Path) -> None:
    """A file of 40 MB is described by reading only a few hundred bytes of it."""
    import numpy as np

    from tests.fake.models import pointwise_network

    big = pointwise_network(np.zeros((4, 2_500_000), np.float32), np.zeros(4, np.float32))
    path = write(tmp_path, seal(big, SPEC))
    read = 0

    class Counting:
        def __init__(self) -> None:
            self.file = path.open("rb")

        def read(self, size: int) -> bytes:
            nonlocal read
            read += size
            return self.file.read(size)

        def __getattr__(self, name: str) -> object:
            return getattr(self.file, name)

    from cardiotrace.inference import model_file

    counting = Counting()
    assert model_file._read_spec(counting).name == "tiny"  # type: ignore[arg-type]
    counting.file.close()
    assert read < 5000


def test_threshold_travels_and_older_descriptions_have_none() -> None:
    binary = make_spec(LV_ONLY, threshold=0.42)
    plain = spec_to_plain(binary)
    assert open_seal(seal(threshold_network(0.5), binary)).calibration.threshold == 0.42
    del plain["calibration"]
    assert spec_from_plain(plain).calibration.threshold is None


@pytest.mark.parametrize(("scheme", "threshold"), [(CAMUS, 0.5), (LV_ONLY, 0.0), (LV_ONLY, 1.0)])
def test_a_threshold_that_cannot_be_is_refused(scheme: LabelScheme, threshold: float) -> None:
    with pytest.raises(ModelFileError, match="threshold"):
        make_spec(scheme, threshold=threshold)


# Descriptions as files of former layouts hold them, word for word.
VERSION_1 = {
    "name": "old",
    "summary": "A model of version 1.",
    "scheme": {"name": "LV", "values": {"LV": 1}},
    "views": ["A4C"],
    "classes": 2,
    "preparation": [{"name": "resize", "height": 32, "width": 48, "keep_aspect": False}],
    "threshold": 0.4,
    "shape_limits": {"LV": {"simplicity": 0.7, "convexity": 0.8}},
    "lowest_confidence": 0.9,
    "format_version": 1,
}


VERSION_2 = {
    "name": "old",
    "summary": "A model of version 2.",
    "scheme": {"name": "LV", "values": {"LV": 1}},
    "views": ["SAX"],
    "classes": 2,
    "preprocessing": [{"name": "resize", "height": 32, "width": 48, "keep_aspect": False}],
    "modality": "MR",
    "channels": 1,
    "dimensions": 2,
    "graphs": [],
    "calibration": {"threshold": 0.4, "shape_limits": {}, "shape_quantile": 0.01, "lowest_confidence": 0.9},
    "format_version": 2,
}


def test_descriptions_of_version_2_see_each_plane_alone() -> None:
    spec = spec_from_plain(VERSION_2)
    assert (spec.neighbours, spec.plane_channels, spec.calibration.threshold) == (0, 1, 0.4)
    assert spec_to_plain(spec)["format_version"] == 2


def test_neighbours_travel_in_a_version_that_older_programs_refuse() -> None:
    spec = make_spec(CAMUS, channels=3, neighbours=1)
    plain = spec_to_plain(spec)
    assert (plain["format_version"], plain["neighbours"], spec.plane_channels) == (3, 1, 1)
    assert spec_to_plain(spec_from_plain(plain)) == plain
    assert spec_from_plain(plain).neighbours == 1


def test_neighbouring_frames_travel_in_a_version_that_older_programs_refuse() -> None:
    # They would take the slices beside a plane for the frames.
    plain = spec_to_plain(make_spec(CAMUS, channels=3, neighbours=1, neighbours_of="frames"))
    assert (plain["format_version"], plain["neighbours_of"]) == (5, "frames")
    assert spec_to_plain(spec_from_plain(plain)) == plain
    assert spec_to_plain(make_spec(CAMUS, neighbours_of="frames"))["format_version"] == 2  # nothing is seen of them
    before = {key: value for key, value in plain.items() if key != "neighbours_of"} | {"format_version": 3}
    assert spec_from_plain(before).neighbours_of == "slices"


def test_a_window_travels_in_a_version_that_older_programs_refuse() -> None:
    # They would see samples whole, and normalise over all of them.
    plain = spec_to_plain(make_spec(CAMUS, window=(32, 48)))
    assert plain["format_version"] == 3
    assert spec_from_plain(plain).window == (32, 48)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"neighbours": 1}, "1 channels for a grey plane and 1 slices on each side"),
        ({"neighbours": 1, "channels": 9}, "9 channels for a grey plane"),
        ({"neighbours": -1}, "sees -1 slices"),
        ({"neighbours": 9, "channels": 19}, "sees 9 slices"),
        ({"neighbours": 1, "channels": 3, "dimensions": 3}, "which only planes have"),
    ],
)
def test_neighbours_that_cannot_be_are_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(ModelFileError, match=what):
        make_spec(CAMUS, **changes)


@pytest.mark.parametrize("key", ["preparation", "preprocessing"])
def test_descriptions_of_version_1_are_read(key: str) -> None:
    plain = dict(VERSION_1)
    plain[key] = plain.pop("preparation")
    spec = spec_from_plain(plain)
    assert spec.preprocessing.transform_for((10, 20), None).shape == (32, 48)
    assert spec.calibration.threshold == 0.4
    assert spec.calibration.shape_limits == {"LV": {"simplicity": 0.7, "convexity": 0.8}}
    assert spec.calibration.lowest_confidence == 0.9
    assert (str(spec.modality), spec.dimensions, spec.graphs) == ("US", 2, ())
    written = spec_to_plain(spec)
    assert written["format_version"] == 2
    assert not {"threshold", "shape_limits", "lowest_confidence", "preparation"} & set(written)
    assert spec_to_plain(spec_from_plain(written)) == written


def test_a_sealed_file_of_version_1_is_opened() -> None:
    described = NETWORK + delimited(14, delimited(1, SPEC_KEY) + delimited(2, json.dumps(VERSION_1).encode()))
    digest = hashlib.sha256(described).hexdigest().encode()
    model = described + delimited(14, delimited(1, CHECKSUM_KEY) + delimited(2, digest))
    assert open_seal(model).calibration.threshold == 0.4


def test_shipped_models_are_read_with_all_that_was_fitted() -> None:
    from cardiotrace.inference import load_model

    retina, echo = load_model("retina-small").spec, load_model("camus-4ch-small").spec
    assert (retina.calibration.threshold, retina.calibration.lowest_confidence) == (0.43, 0.8718)
    assert echo.calibration.threshold is None
    assert echo.calibration.shape_limits["LV"] == {"simplicity": 0.698892, "convexity": 0.826472}


@pytest.mark.parametrize("table", [{"calibration": {"humidity": 1.7}}, {"calibration": {"conformal": {"LV": [1]}}}])
def test_newer_facts_of_the_calibration_are_passed_over(table: dict[str, object]) -> None:
    assert spec_from_plain(spec_to_plain(SPEC) | table).calibration == make_spec(CAMUS).calibration


@pytest.mark.parametrize("version", [0, 7, "2", None, [1], 10**400])
def test_other_versions_are_refused_in_one_sentence(version: object) -> None:
    with pytest.raises(ModelFileError, match=r"newer CardioTrace: file format|no version that is known") as caught:
        spec_from_plain(spec_to_plain(SPEC) | {"format_version": version})
    assert caught.value.what.count(". ") == 0
    assert "write it again" in caught.value.remedy


def test_a_table_of_calibration_in_an_old_file_is_not_overwritten() -> None:
    with pytest.raises(ModelFileError, match=r"holds both 'calibration\.threshold' and 'threshold'"):
        spec_from_plain(VERSION_1 | {"calibration": {"threshold": 0.6}})


def test_volumes_have_neither_sector_nor_field_of_view() -> None:
    with pytest.raises(ModelFileError, match="which only planes have"):
        make_spec(LV_ONLY, dimensions=3, within_field_of_view=True)
    with pytest.raises(ModelFileError, match="dimensions"):
        spec_from_plain(spec_to_plain(SPEC) | {"dimensions": 4})


TWO_GRAPHS = seal(NETWORK, SPEC, graphs={"decoder": prompted_network()})


def test_a_file_of_several_graphs_opens_as_its_first_one_anywhere() -> None:
    import onnxruntime

    model = Model(open_seal(TWO_GRAPHS), TWO_GRAPHS)
    assert model.spec.graphs == ("decoder",)
    assert model.graph("decoder") == prompted_network()
    assert model.graph() == NETWORK
    whole = onnx.load_from_string(TWO_GRAPHS)
    onnx.checker.check_model(whole)
    assert whole.graph == onnx.load_from_string(NETWORK).graph
    session = onnxruntime.InferenceSession(TWO_GRAPHS, providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_outputs()] == ["logits"]


def test_each_graph_of_a_file_is_run() -> None:
    from cardiotrace.inference.engine import make_engine

    model = Model(open_seal(TWO_GRAPHS), TWO_GRAPHS)
    assert make_engine(model.graph("decoder")).inputs == ("features", "prompt")
    assert make_engine(model.graph()).outputs == ("logits",)


def test_sealing_again_keeps_further_graphs() -> None:
    again = seal(TWO_GRAPHS, dataclasses.replace(SPEC, summary="Another."), graphs={"judge": NETWORK})
    model = Model(open_seal(again), again)
    assert (model.spec.summary, model.spec.graphs) == ("Another.", ("decoder", "judge"))
    assert model.graph("judge") == NETWORK


def test_a_graph_that_is_not_there_is_refused_in_one_sentence() -> None:
    one = make_model(NETWORK, SPEC)
    with pytest.raises(ModelFileError, match=r"model 'tiny' has no graph 'encoder'\n.*one graph, without a name"):
        one.graph("encoder")
    with pytest.raises(ModelFileError, match=r"has no graph 'encoder'\n.*it has decoder\."):
        Model(open_seal(TWO_GRAPHS), TWO_GRAPHS).graph("encoder")


def sealed_by_force(content: bytes, spec: dict[str, object]) -> bytes:
    described = content + delimited(14, delimited(1, SPEC_KEY) + delimited(2, json.dumps(spec).encode()))
    digest = hashlib.sha256(described).hexdigest().encode()
    return described + delimited(14, delimited(1, CHECKSUM_KEY) + delimited(2, digest))


def test_a_file_that_lost_a_graph_or_holds_a_bad_one_is_refused() -> None:
    plain = spec_to_plain(SPEC) | {"graphs": ["decoder"]}
    with pytest.raises(ModelFileError, match="lacks its graph 'decoder'"):
        open_seal(sealed_by_force(NETWORK, plain))
    for bad in (b"", b"no graph at all", prompted_network()[:40]):
        further = delimited(50_000, delimited(1, b"decoder") + delimited(2, bad))
        with pytest.raises(ModelFileError, match="not an ONNX model"):
            open_seal(sealed_by_force(NETWORK + further, plain))
    with pytest.raises(ModelFileError, match="not an ONNX model"):
        seal(NETWORK, SPEC, graphs={"decoder": b"nothing"})


def test_weights_outside_a_further_graph_are_refused() -> None:
    outside = onnx.ModelProto.FromString(NETWORK)
    outside.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    with pytest.raises(ModelFileError, match="takes its values from outside the file"):
        seal(NETWORK, SPEC, graphs={"decoder": outside.SerializeToString()})


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(TWO_GRAPHS) - 1), st.integers(1, 255))
def test_any_changed_byte_of_any_graph_is_noticed(position: int, difference: int) -> None:
    changed = bytearray(TWO_GRAPHS)
    changed[position] ^= difference
    with pytest.raises(ModelFileError):
        open_seal(bytes(changed))


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    assert read_model(write(tmp_path, SEALED)).sha256 == hashlib.sha256(SEALED).hexdigest()
