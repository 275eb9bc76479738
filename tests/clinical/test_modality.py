"""Echo and MRI of one visit: nothing of one goes into a value of the other."""

from dataclasses import replace

import pytest

from cardiotrace.clinical import measure
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Phase, View, view_name
from tests.clinical.ventricle import Ventricle, image_of, label_map

EJECTION, GLS = "left_ventricular_ejection_fraction", "left_ventricular_global_longitudinal_strain"
ECHO = {Phase.ED: Ventricle(25, 80), Phase.ES: Ventricle(19, 70)}
MRI = {Phase.ED: Ventricle(27, 90), Phase.ES: Ventricle(25, 86)}


def stills(
    hearts: dict[Phase, Ventricle], view: View, modality: Modality
) -> tuple[list[ExamImage], dict[str, LabelMap]]:
    images, labels = [], {}
    for phase, heart in hearts.items():
        name = f"{view_name(view, modality)}_{modality}_{phase}"
        labels[name] = label_map([heart.draw()])
        made = image_of(name, labels[name], view=view, phases={phase: 0})
        images.append(replace(made, image=replace(made.image, modality=modality)))
    return images, labels


def measured(*groups: tuple[list[ExamImage], dict[str, LabelMap]]) -> Measures:
    images = tuple(image for found, _ in groups for image in found)
    return measure(Exam("visit", images), {name: item for _, labels in groups for name, item in labels.items()})


def test_a_plane_of_each_makes_no_biplane_volume_and_no_common_strain() -> None:
    echo = stills(ECHO, View.FOUR_CHAMBER, Modality.US)
    found = measured(echo, stills(MRI, View.TWO_CHAMBER, Modality.MR))
    assert not [item for item in found if "+" in item.view]
    assert {item.view for item in found if item.name == EJECTION} == {"A4C", "2CH"}
    assert {item.view for item in found if item.name == GLS} == {"A4C", "2CH"}
    (flag,) = (flag for flag in found.flags if flag.rule == "modalities-apart")
    assert flag.text == "the exam holds MRI and echo: each is measured by itself"


def test_one_plane_of_both_is_measured_twice_and_each_as_if_it_were_alone() -> None:
    echo = stills(ECHO, View.FOUR_CHAMBER, Modality.US)
    mri = stills(MRI, View.FOUR_CHAMBER, Modality.MR)
    both, only_echo, only_mri = measured(echo, mri), measured(echo), measured(mri)
    for alone in (only_echo, only_mri):
        # The same frames, not only near values: end-diastole of one with end-systole of the other is neither's.
        assert {(item.key, item.method, item.view, item.value, item.frames) for item in alone} <= {
            (item.key, item.method, item.view, item.value, item.frames) for item in both
        }
        assert not [flag for flag in alone.flags if flag.rule == "modalities-apart"]
    assert len(both.quantities) == len(only_echo.quantities) + len(only_mri.quantities)
    assert both.ejection_fraction_percent == only_mri.ejection_fraction_percent
    assert len(both.key_frames) == 4


def test_an_image_of_unknown_origin_goes_with_the_others_where_these_are_alike() -> None:
    echo = stills(ECHO, View.FOUR_CHAMBER, Modality.US)
    unknown = stills(ECHO, View.TWO_CHAMBER, Modality.UNKNOWN)
    assert {item.view for item in measured(echo, unknown) if item.name == EJECTION} == {"A4C+2CH", "A4C", "2CH"}
    apart = measured(echo, unknown, stills(MRI, View.FOUR_CHAMBER, Modality.MR))
    assert {item.view for item in apart if item.name == EJECTION} == {"A4C", "2CH", "4CH"}


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_of_images_changes_nothing(order: int) -> None:
    groups = [stills(ECHO, View.FOUR_CHAMBER, Modality.US), stills(MRI, View.FOUR_CHAMBER, Modality.MR)]
    found = measured(*groups[::order])
    assert next(item.view for item in found if item.name == EJECTION) == "4CH"
