import shutil
from pathlib import Path

import numpy as np
import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError
from cardiotrace.core.label import ACDC, CHAMBERS
from cardiotrace.core.terms import Modality, Phase, Structure, View
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.packed import Packing, cache_fingerprint, packed
from cardiotrace.phantoms import choice
from cardiotrace.phantoms.choice import PhantomConfig, draw_patient
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.workflows.services.dataset import open_dataset

SMALL = {"frame_count": 12, "spacing_mm": 1.2}
PREPARATION = Preprocessing([Choice("resize", {"height": 64, "width": 64})])


def phantoms(**options):
    return DATASETS.make(Choice("phantom", {**SMALL, **options}), Path())


def prints(dataset):
    return cache_fingerprint(dataset.cases(), Packing(dataset.root, dataset.scheme, PREPARATION, {}))


def test_echo_cases_are_ed_and_es_of_each_patient():
    dataset = phantoms(kind="echo", count=1, seed=4)
    cases = dataset.cases()
    assert [case.phase for case in cases] == [Phase.ED, Phase.ES]
    assert {case.view for case in cases} == {View.FOUR_CHAMBER}
    sizes = []
    for case in cases:
        image, labels = case.read_image(), case.read_labels()
        assert image.grid_shape == labels.array.shape
        assert image.grid_shape[0] == 1
        sizes.append(labels.mask(Structure.LV).sum() * 1.2**2 / 100)
    truth = dataset.rendered(dataset.exams()[0]).truth
    assert sizes == pytest.approx([truth["4ch_area_ed_cm2"], truth["4ch_area_es_cm2"]], rel=0.04)
    assert cases[0].facts == pytest.approx(
        {
            "left_ventricular_ejection_fraction_percent": truth["ejection_fraction_percent"],
            "left_ventricular_end_diastolic_volume_ml": truth["end_diastolic_ml"],
            "left_ventricular_end_systolic_volume_ml": truth["end_systolic_ml"],
            "left_ventricular_mass_g": truth["mass_g"],
        }
    )
    # Mass from two planes is a method of ultrasound: who scores cases must know that these are.
    assert {case.modality for case in cases} == {Modality.US}


def test_nothing_is_drawn_differently_in_a_longer_list():
    short, long = (PhantomConfig(count=count, seed=2) for count in (2, 9))
    assert draw_patient(short, 2) == draw_patient(long, 2)
    assert draw_patient(short, 1) != draw_patient(short, 2)
    assert draw_patient(PhantomConfig(seed=3), 1) != draw_patient(short, 1)


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"pathologies": ["dilated"]}, {"qualities": ["poor"]}, {"spacing_mm": 1.3}, {"count": 5}]
)
def test_other_phantoms_have_another_fingerprint(other):
    assert prints(phantoms(count=2)) == prints(phantoms(count=2))
    assert prints(phantoms(**{"count": 2, **other})) != prints(phantoms(count=2))


def test_asked_for_diseases_come_in_turn():
    groups = [case.groups for case in phantoms(count=4, pathologies=["dilated", "infarct"]).cases()[::2]]
    assert [group["pathology"] for group in groups] == ["dilated", "infarct"] * 2
    assert {group["vendor"] for group in groups} == {"camus"}


@pytest.mark.parametrize(("name", "value"), [("pathologies", "flu"), ("vendors", "acme"), ("qualities", "splendid")])
def test_unknown_choices_are_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=value):
        phantoms(**{name: [value]})


def test_qualities_of_cine_mri_are_good_unless_asked_for():
    drawn = [
        draw_patient(PhantomConfig(kind="cmr", count=2, qualities=q), 1).phantom for q in ((), ("good",), ("poor",))
    ]
    assert [phantom.quality for phantom in drawn] == ["good", "good", "poor"]
    assert drawn[0] == drawn[1]


def test_long_axes_of_cine_mri_are_cases_of_their_own():
    dataset = phantoms(kind="cmr", count=1, views=["4CH", "3CH"], atria=True, spacing_mm=2.8)
    assert dataset.views == (View.FOUR_CHAMBER, View.THREE_CHAMBER)
    assert dataset.scheme is CHAMBERS
    names = [case.name.removeprefix(dataset.exams()[0]) for case in dataset.cases()]
    assert names == ["_4CH_ED", "_4CH_ES", "_3CH_ED", "_3CH_ES"]
    four, late = (case.read_labels() for case in dataset.cases()[:2])
    assert four.array.shape == dataset.cases()[0].read_image().frames.shape
    assert four.mask(Structure.LV).sum() > 1.1 * late.mask(Structure.LV).sum()
    assert four.mask(Structure.LA).sum() * 2.8**2 > 500
    assert [image.image.grid_shape[1] for image in dataset.exam(dataset.exams()[0]).images] == [1, 1]


def test_a_short_axis_is_the_usual_view_of_cine_mri():
    dataset = phantoms(kind="cmr", count=1)
    assert dataset.views == (View.SAX,)
    assert dataset.scheme is ACDC
    drawn = draw_patient(dataset.config, 1).phantom
    assert (drawn.short_axis, drawn.long_axis) == (True, ())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "echo", "views": ["SAX"]}, "there is no 'SAX'"),
        ({"kind": "fundus", "views": ["4CH"]}, "fundus has none"),
        ({"kind": "cmr", "views": ["SAX", "4CH"], "atria": True}, "only long axes"),
        ({"kind": "echo", "atria": True}, "only long axes"),
    ],
)
def test_views_that_a_kind_has_not_are_refused(options, message):
    with pytest.raises(ConfigError) as caught:
        phantoms(**options)
    assert message in str(caught.value)


def test_digest_follows_every_module_of_every_kind(tmp_path, monkeypatch):
    source = Path(choice.__file__).parent
    shutil.copytree(source, tmp_path / "phantoms", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(choice, "__file__", str(tmp_path / "phantoms" / "choice.py"))
    find = choice.rendering_digest.__wrapped__
    before = find()
    assert before == choice.rendering_digest()
    for changed in ("heart/wall.py", "echo/tissue.py", "cmr/scan.py", "fundus/vessel.py"):
        with (tmp_path / "phantoms" / changed).open("a") as file:
            file.write("# other\n")
        assert find() != before
        before = find()


def test_split_holds_everybody_once():
    dataset = phantoms(count=12)
    split = dataset.splits()["official"]
    assert sorted(split.patients) == dataset.exams()
    assert (len(split.validation), len(split.testing)) == (1, 1)


def test_packs_like_any_other_data_set(tmp_path):
    dataset = phantoms(count=1)
    packing = Packing(dataset.root, dataset.scheme, PREPARATION, {})
    made = packed(dataset.cases(), packing, cache=tmp_path, name="p")
    assert made.images.shape == (2, 1, 64, 64)
    assert set(np.unique(made.labels)) == {0, 1, 2, 3}


def test_recipes_need_no_folder_for_it(monkeypatch):
    monkeypatch.delenv("CARDIOTRACE_DATA", raising=False)
    assert open_dataset(Choice("phantom", {"count": 3}), None).exams()[2].endswith("0003")


def test_photographs():
    dataset = phantoms(kind="fundus", count=1, vendors=["drive"])
    (case,) = dataset.cases()
    image, labels = case.read_image(), case.read_labels()
    assert image.is_colour
    assert dataset.channels == 3
    share = labels.mask(Structure.VESSEL)[0, 0][case.read_field_of_view()[0]].mean()
    assert 100 * share == pytest.approx(dataset.rendered(case.name).truth["vessel_share_percent"])


def test_whole_beats_are_cases_of_the_same_patients(make, tmp_path):
    options = {"kind": "echo", "count": 1, "seed": 5, "frame_count": 12, "spacing_mm": 1.2}
    stills, films = make("phantom", tmp_path, **options), make("phantom", tmp_path, beats=True, **options)
    (film,) = films.cases()
    diastole, _ = stills.cases()
    assert film.phase is Phase.OTHER
    assert (film.name, film.patient) == (f"{diastole.patient}_4CH", diastole.patient)
    image, labels = film.read_image(), film.read_labels()
    assert len(image.frames) == len(labels.array) == 12
    frame = int(films.rendered(film.patient).truth["end_diastolic_frame"])
    assert (labels.array[frame] == diastole.read_labels().array[0]).all()
    assert (image.frames[frame] == diastole.read_image().frames[0]).all()
