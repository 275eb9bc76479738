import numpy as np
import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.label import ACDC, MNMS, LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.datasets.packed import Packing, open_packed, packed
from cardiotrace.datasets.split import Split
from cardiotrace.evaluation.score import CasePrediction, score_case
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.workflows.nnunet import export_nnunet
from cardiotrace.workflows.services.dataset import open_dataset
from tests.datasets.test_catalog import write_acdc_and_mnms
from tests.fake.acdc import write_acdc
from tests.fake.camus import write_camus
from tests.fake.sunnybrook import write_sunnybrook

PARTS = [{"name": "acdc"}, {"name": "mnms"}]


@pytest.fixture
def joined(tmp_path, make):
    write_acdc_and_mnms(tmp_path)
    return make("joined", tmp_path, parts=PARTS)


def test_labels_of_every_part_come_in_the_first_scheme(joined, tmp_path, make):
    alone = make("mnms", tmp_path / "mnms")
    theirs = next(case for case in alone.cases() if case.read_labels is not None)
    ours = next(case for case in joined.cases() if case.name == theirs.name)
    labels = ours.read_labels()
    assert labels.scheme == ACDC
    for structure in (Structure.LV, Structure.MYO, Structure.RV):
        np.testing.assert_array_equal(labels.mask(structure), theirs.read_labels().mask(structure))


def test_groups_tell_the_parts_apart(joined):
    assert {case.groups["dataset"] for case in joined.cases()} == {"acdc", "mnms"}
    assert joined.name == "acdc+mnms"


def test_terms_of_all_parts_are_stated(joined, tmp_path, make):
    for name in ("acdc", "mnms"):
        part = make(name, tmp_path / name)
        assert part.licence in joined.licence
        assert part.citation in joined.citation


def test_a_split_is_there_only_if_all_parts_have_it(tmp_path, make):
    write_camus(tmp_path / "camus")
    phantoms = {"name": "phantom", "kind": "echo", "count": 4}
    camus = make("camus", tmp_path / "camus").splits()
    both = make("joined", tmp_path, parts=[{"name": "camus"}, phantoms]).splits()
    assert set(both) == set(camus) & {"official"}
    assert len(both["official"].training) == len(camus["official"].training) + 2


def test_lies_where_its_parts_do(tmp_path, monkeypatch):
    write_acdc_and_mnms(tmp_path)
    monkeypatch.setenv("CARDIOTRACE_DATA", str(tmp_path))
    choice = Choice("joined", {"parts": [Choice(part["name"]) for part in PARTS]})
    assert open_dataset(choice, None).exams() == open_dataset(choice, tmp_path).exams()


def test_other_structures_are_refused(tmp_path, make):
    write_acdc(tmp_path / "acdc")
    write_camus(tmp_path / "camus")
    with pytest.raises(InputError, match="camus labels LV, MYO, LA, acdc labels RV, MYO, LV"):
        make("joined", tmp_path, parts=[{"name": "acdc"}, {"name": "camus"}])


def test_a_patient_twice_is_refused(tmp_path, make):
    write_acdc(tmp_path / "acdc")
    with pytest.raises(InputError, match="is in two of the joined data sets"):
        make("joined", tmp_path, parts=[{"name": "acdc"}, {"name": "acdc"}])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([{"name": "acdc"}], "at least two"),
        ([{"name": "acdc"}, {"name": "joined"}], "cannot be part of another"),
        ([{"name": "acdc"}, {"name": "nowhere"}], "there is no data set 'nowhere'"),
        ([{"name": "acdc"}, {"name": "phantom", "kin": "cmr"}], r"parts\[1\].kin"),
    ],
)
def test_bad_parts(tmp_path, make, parts, message):
    write_acdc(tmp_path / "acdc")
    with pytest.raises(ConfigError, match=message):
        make("joined", tmp_path, parts=parts)


@pytest.fixture
def hearts_and_rings(tmp_path, make):
    """All structures of ACDC, the myocardium alone of Sunnybrook."""
    write_acdc(tmp_path / "acdc", training=1)
    write_sunnybrook(tmp_path / "sunnybrook", slices=(4, 3))
    return make("joined", tmp_path, parts=[{"name": "acdc"}, {"name": "sunnybrook"}])


def test_what_a_part_does_not_label_is_not_known_there(hearts_and_rings, tmp_path, make):
    joined = hearts_and_rings
    assert joined.scheme == ACDC
    cases = {case.name: case for case in joined.cases()}
    ring = cases["case01"].read_labels()
    assert ring.scheme.values == {Structure.MYO: ACDC.value(Structure.MYO)}
    own = make("sunnybrook", tmp_path / "sunnybrook").cases()[0].read_labels()
    np.testing.assert_array_equal(ring.mask(Structure.MYO), own.mask(Structure.MYO))
    whole = LabelMap(np.full_like(ring.array, ACDC.value(Structure.LV)), ACDC, ring.geometry)
    rows = score_case(CasePrediction(cases["case01"], whole, ring))
    assert {row.region for row in rows} == {"MYO"}  # an LV in its cavity is no false positive


def test_packed_samples_tell_what_is_annotated(hearts_and_rings, tmp_path):
    prepare = Preprocessing([Choice("resize", {"height": 32, "width": 32})])
    packing = Packing(hearts_and_rings.root, hearts_and_rings.scheme, prepare)
    data = packed(hearts_and_rings.cases(), packing, cache=tmp_path / "cache")
    told = {sample.groups["dataset"]: sample.structures for sample in data.samples}
    assert told == {"acdc": (), "sunnybrook": ("MYO",)}
    rings = [index for index, sample in enumerate(data.samples) if sample.structures]
    assert len(rings) == 4 + 3
    assert set(np.unique(data.labels[rings])) == {0, ACDC.value(Structure.MYO)}
    assert open_packed(data.folder).samples == data.samples


def test_structures_that_the_first_part_lacks_follow_its_own(hearts_and_rings, tmp_path, make):
    parts = [{"name": "sunnybrook"}, {"name": "acdc"}]
    joined = make("joined", tmp_path, parts=parts)
    assert joined.scheme.values == {Structure.MYO: 1, Structure.RV: 2, Structure.LV: 3}
    assert joined.scheme.name == "sunnybrook+acdc"
    theirs = next(case for case in make("acdc", tmp_path / "acdc").cases()).read_labels()
    ours = next(case for case in joined.cases() if case.groups["dataset"] == "acdc").read_labels()
    for structure in ACDC.structures:
        np.testing.assert_array_equal(ours.mask(structure), theirs.mask(structure))
    assert make("joined", tmp_path, parts=[{"name": "acdc"}, {"name": "sunnybrook"}]).scheme == ACDC


def test_what_nnunet_would_learn_as_absent_is_not_exported(hearts_and_rings, tmp_path):
    patients = tuple(sorted({case.patient for case in hearts_and_rings.cases()}))
    with pytest.raises(InputError, match="case01 labels MYO alone: nnU-Net would learn others as absent"):
        export_nnunet(hearts_and_rings, tmp_path / "out", [Split(patients)])


def test_labels_of_another_scheme_are_not_packed(hearts_and_rings, tmp_path):
    prepare = Preprocessing([Choice("resize", {"height": 32, "width": 32})])
    packing = Packing(hearts_and_rings.root, MNMS, prepare)
    with pytest.raises(InputError, match="labels of scheme acdc are not those of scheme mnms"):
        packed(hearts_and_rings.cases()[:1], packing, cache=tmp_path / "cache")
