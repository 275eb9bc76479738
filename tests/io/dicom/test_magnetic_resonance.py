"""Files of magnetic resonance become stacks and long-axis planes by where they lie, and nothing is guessed."""

import shutil
import subprocess
import time
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from pydicom import Dataset

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Known
from cardiotrace.core.terms import Modality, View
from cardiotrace.io.dicom.magnetic_resonance import stacks_of
from tests.io.dicom.made_mr import (
    AXIAL,
    FOUR_CHAMBER,
    SAX,
    THREE_CHAMBER,
    TWO_CHAMBER,
    MadeSeries,
    enhanced,
    held,
    real_files,
)

STACK = MadeSeries()


def objects_of(*series):
    return [each for one in series for each in one.objects()]


def read_one(objects):
    found = stacks_of(held(objects))
    assert len(found.images) == 1, found
    assert found.left_out == ()
    return found.images[0].read()


def order_of(image):
    """The number that each plane was made with."""
    return image.frames[:, :, 0, 0]


def expected(slices=4, count=12):
    """Apex first in the made series: its normal runs to the base."""
    return np.arange(count)[:, None] + 100 * np.arange(slices)[None, ::-1]


def test_a_stack_from_base_to_apex_in_order_of_time():
    objects = STACK.objects()
    image = read_one([objects[index] for index in np.random.default_rng(1).permutation(len(objects))])
    assert image.frames.dtype == np.uint16
    np.testing.assert_array_equal(order_of(image), expected())
    assert (image.frames[..., 0, 1] - image.frames[..., 0, 0] == 1000).all()  # unturned
    assert (image.view, image.modality, image.times) == (View.SAX, Modality.MR, Known.FILE)
    assert image.spacing_mm == pytest.approx((10.0, 1.5, 1.25), abs=1e-4)
    np.testing.assert_allclose(image.times_ms, np.arange(12) * 75.0)
    assert image.acquisition.heart_rate_bpm == pytest.approx(66.67, abs=0.01)
    assert image.acquisition.r_waves_ms == (0.0, 900.0)
    assert (image.acquisition.vendor, image.acquisition.field_strength_t) == ("Maker", 1.5)
    assert image.notes == ("taken for a short axis: it lies as one does",)


def test_every_voxel_lies_where_its_own_file_says():
    image = read_one(STACK.objects())
    for depth, frame in enumerate(image.source.header.frames[3]):
        header = frame.file.header
        right, down = np.array(header.ImageOrientationPatient[:3]), np.array(header.ImageOrientationPatient[3:])
        point = np.array(header.ImagePositionPatient) + 4 * 1.25 * right + 5 * 1.5 * down
        np.testing.assert_allclose(image.geometry.point_mm((depth, 5, 4)), point * [-1, -1, 1], atol=1e-3)
    # RAS+: from base to apex is to the patient's left, front and feet.
    assert (np.sign(image.geometry.affine[:3, 0]) == [-1, 1, -1]).all()


def test_a_series_a_slice_with_heart_rates_of_their_own():
    series = [
        MadeSeries(number, (10.0 * number,), interval_ms=700.0 + 50 * number, base=100 * number) for number in range(4)
    ]
    image = read_one(objects_of(*series))
    np.testing.assert_array_equal(order_of(image), expected())
    assert any("71 to 86 beats a minute" in note for note in image.notes)
    np.testing.assert_allclose(image.times_ms, np.arange(12) / 12 * 775.0)


def test_a_slice_with_other_instants_gives_the_nearest():
    other = MadeSeries(2, (30.0,), count=24, base=300)
    image = read_one(objects_of(replace(STACK, places_mm=(0.0, 10.0, 20.0)), other))
    np.testing.assert_array_equal(order_of(image)[:, 0], 300 + 2 * np.arange(12))
    assert any("slice 1 has 24 instants, others have 12" in note for note in image.notes)


def test_a_missing_instant_is_said_and_its_neighbour_stands_in():
    objects = STACK.objects()
    del objects[5]  # of the first slice made, the apex
    image = read_one(objects)
    assert order_of(image)[5, 3] in (4, 6)
    assert any("1 of 12 instants are missing" in note for note in image.notes)
    assert any("slice 4 has 11 instants" in note for note in image.notes)


@pytest.mark.parametrize(
    ("keyword", "note"),
    [
        ("TemporalPositionIdentifier", "temporal positions"),
        ("AcquisitionTime", "acquisition times"),
        ("ContentTime", "content times"),
        ("InstanceNumber", "instance numbers"),
    ],
)
def test_what_orders_instants_without_trigger_times(keyword, note):
    objects = STACK.objects()
    for number, each in enumerate(objects):
        del each.TriggerTime
        instant = number % STACK.count
        each.InstanceNumber = 500 - number  # speaks against the others
        value = f"1200{instant:02d}.05" if keyword.endswith("Time") else instant + 1
        setattr(each, keyword, value)
    if keyword == "AcquisitionTime":
        for each in objects:  # not one a beat
            each.AcquisitionTime = f"120000.{int(each.AcquisitionTime[4:6]):03d}"
    image = read_one(objects)
    np.testing.assert_array_equal(order_of(image), expected())
    assert any(f"in the order of {note}" in text for text in image.notes)
    assert image.times is Known.ASSUMED


@pytest.mark.parametrize("step_ms", [5000.0, 150.0])
def test_trigger_times_beyond_a_beat_give_way_and_no_time_is_assumed(step_ms):
    objects = STACK.objects()
    for number, each in enumerate(objects):
        each.TriggerTime = step_ms * (number * 7 % 12)
    image = read_one(objects)
    assert (image.times_ms, image.times) == (None, Known.UNKNOWN)
    np.testing.assert_array_equal(order_of(image), expected())
    assert any("instance numbers" in note for note in image.notes)


def test_a_slice_that_was_acquired_twice_is_the_later_one():
    again = MadeSeries(9, (10.0,), base=5000 % 4096)
    image = read_one(objects_of(STACK, again))
    assert (order_of(image)[:, 2] >= 904).all()
    assert any("1 of 4 slices were acquired more than once" in note for note in image.notes)


def test_two_runs_of_one_series_are_the_last_run():
    late = replace(STACK, base=1000).objects()
    for each in late:
        each.SOPInstanceUID += ".9"
        each.InstanceNumber += 1000
        each.TriggerTime = float(each.TriggerTime) + 3.0
    image = read_one([*late, *STACK.objects()])
    np.testing.assert_array_equal(order_of(image), 1000 + expected())
    assert any("acquired 2 times" in note for note in image.notes)


@pytest.mark.parametrize("apart", ["AcquisitionNumber", "AcquisitionTime", "NominalInterval", "nothing"])
@pytest.mark.parametrize("is_counted", [True, False])
def test_two_runs_whose_objects_alternate_are_not_mixed(apart, is_counted):
    early, late = STACK.objects(), replace(STACK, base=1000).objects()
    for number, (first, second) in enumerate(zip(early, late, strict=True)):
        second.SOPInstanceUID += ".9"
        first.InstanceNumber, second.InstanceNumber = 2 * number, 2 * number + 1
        if apart == "AcquisitionTime":
            first.AcquisitionTime, second.AcquisitionTime = "120000", "120100"
        elif apart != "nothing":
            setattr(first, apart, 900)
            setattr(second, apart, 950)
        if apart != "nothing":  # as another heart rate has it
            second.TriggerTime = float(second.TriggerTime) * 950 / 900
        if not is_counted:
            del first.CardiacNumberOfImages, second.CardiacNumberOfImages
    image = read_one([*early, *late])
    np.testing.assert_array_equal(order_of(image), 1000 + expected())
    assert image.times_ms[-1] == pytest.approx(11 * 75 * (1 if apart == "nothing" else 950 / 900))
    assert any("acquired" in note for note in image.notes)


def test_several_series_of_one_identifier_are_told_apart_by_number_and_description():
    other = MadeSeries(7, base=2000, description="LGE psir sax")
    objects = objects_of(STACK, other)
    for each in objects:
        each.SeriesInstanceUID = "1.2.3.1"
    found = stacks_of(held(objects))
    np.testing.assert_array_equal(order_of(found.images[0].read()), expected())
    assert found.left_out == ("series 7: late enhancement (48 images)",)


def test_parts_of_a_beat_that_are_numbered_apart_are_one_run():
    objects = replace(STACK, count=20).objects()
    for number, each in enumerate(objects):
        each.AcquisitionNumber = 1 + number % 20 // 10
    assert read_one(objects).frames.shape[:2] == (20, 4)


@pytest.mark.parametrize("stated", [0.0, 120.0])
def test_a_thickness_that_cannot_be_merges_no_slices(stated):
    image = read_one(STACK.with_facts(SliceThickness=stated).objects())
    assert image.spacing_mm == pytest.approx((10.0, 1.5, 1.25), abs=1e-4)
    np.testing.assert_array_equal(order_of(image), expected())


@pytest.mark.parametrize(
    ("facts", "rate"),
    [
        ({"NominalInterval": 65}, None),  # a rate where a time is asked for
        ({"NominalInterval": 0, "HeartRate": 75}, 75),
        ({"NominalInterval": None, "HeartRate": 0}, None),
    ],
)
def test_a_length_of_the_beat_that_cannot_be_is_not_known(facts, rate):
    image = read_one(STACK.with_facts(**facts).objects())
    assert image.acquisition.heart_rate_bpm == rate
    assert image.times_ms[-1] == pytest.approx(825.0)
    assert image.times is Known.FILE


@pytest.mark.parametrize("times", [0.001, 14.0])
def test_trigger_times_in_another_unit_are_none(times):
    objects = STACK.with_facts(NominalInterval=None).objects()
    for each in objects:
        each.TriggerTime = float(each.TriggerTime) * times
    image = read_one(objects)
    assert (image.times_ms, image.times) == (None, Known.UNKNOWN)
    assert any("no usable trigger times" in note for note in image.notes)


@pytest.mark.parametrize("change", ["turned", "pixels"])
def test_a_slice_beyond_the_end_that_does_not_fit_is_a_doubt(change):
    right, down = SAX[:3], SAX[3:]
    other = MadeSeries(2, (40.0,), description="cine sax")
    if change == "turned":
        other = replace(other, directions=(*down, *(-value for value in right)))
    else:
        other = replace(other, pixel_mm=(1.2, 1.2))
    found = stacks_of(held(objects_of(STACK, other)))
    stack, lone = (image.read() for image in found.images)
    assert stack.doubts == (
        "1 slice beyond its ends, parallel to it, of other pixels or directions, and no part of it: its volumes may"
        " lack them",
    )
    assert lone.frames.shape[:2] == (12, 1)
    inside = replace(other, places_mm=(10.0,))
    assert not stacks_of(held(objects_of(STACK, inside))).images[0].read().doubts


def test_copies_are_left_out_and_objects_of_one_identifier_are_not():
    objects = STACK.objects()
    found = stacks_of(held([*objects, *objects[:3]]))
    assert found.left_out == ("series 1: a copy of another file (3 images)",)
    for each in objects:
        each.SOPInstanceUID = "1.2.3.4.5"
    np.testing.assert_array_equal(order_of(read_one(objects)), expected())


@pytest.mark.parametrize(("places", "count"), [((0.0, 10.0, 30.0, 40.0), 48), ((0.0, 10.0, 20.0, 45.0), 48)])
def test_a_gap_is_refused(places, count):
    found = stacks_of(held(replace(STACK, places_mm=places).objects()))
    assert found.images == ()
    (line,) = found.left_out
    assert "mm apart: one is missing, turned, or belongs to another stack" in line
    assert f"({count} images)" in line


def test_two_stacks_far_apart_in_one_series_are_both_there_with_a_doubt():
    places = (0.0, 10.0, 20.0, 30.0, 160.0, 170.0, 180.0)
    found = stacks_of(held(replace(STACK, places_mm=places).objects()))
    assert (found.left_out, [image.name for image in found.images]) == ((), ["SAX", "SAX_2"])
    first, second = (image.read() for image in found.images)
    assert (first.grid_shape[1], second.grid_shape[1]) == (4, 3)
    assert first.geometry.spacing_mm[0] == pytest.approx(10, rel=1e-5)
    for image in (first, second):
        (doubt,) = image.doubts
        assert "another stack parallel to it lies 130 mm beyond its ends" in doubt


def test_slices_far_from_a_stack_are_no_part_of_it():
    found = stacks_of(held(replace(STACK, places_mm=(0.0, 10.0, 20.0, 160.0, 170.0)).objects()))
    assert [image.read().grid_shape[1] for image in found.images] == [3]
    assert found.left_out == ("series 1: fits to the slices of no stack (24 images)",)
    # As far apart as a heart is long, both may be of one, with slices missing between.
    near = stacks_of(held(replace(STACK, places_mm=(0.0, 10.0, 20.0, 120.0, 130.0, 140.0)).objects()))
    assert near.images == ()


def test_a_slice_that_is_turned_belongs_to_no_stack():
    turn = np.radians(8)
    right, down = np.array(SAX[:3]), np.array(SAX[3:])
    normal = np.cross(right, down)
    turned = (*(right * np.cos(turn) + normal * np.sin(turn)), *down)
    found = stacks_of(held(objects_of(STACK, MadeSeries(2, (40.0,), directions=turned))))
    assert [image.view for image in found.images] == [View.SAX]
    assert found.left_out == ("series 2: is turned by 8 degrees against the short-axis stack (12 images)",)


def test_stacks_that_do_not_fit_together_are_two():
    other = MadeSeries(2, (3.0, 13.0, 23.0), base=1000)
    found = stacks_of(held(objects_of(STACK, other)))
    assert [image.name for image in found.images] == ["SAX", "SAX_2"]
    assert [image.read().grid_shape[1] for image in found.images] == [4, 3]
    lone = stacks_of(held(objects_of(STACK, MadeSeries(2, (3.0,)))))
    assert lone.left_out == ("series 2: fits to the slices of no stack (12 images)",)


def test_slices_of_other_frames_of_reference_are_not_joined():
    other = MadeSeries(2, (40.0, 50.0, 60.0)).with_facts(FrameOfReferenceUID="1.2.3.5")
    assert [image.read().grid_shape[1] for image in stacks_of(held(objects_of(STACK, other))).images] == [4, 3]
    same = MadeSeries(2, (40.0, 50.0, 60.0))
    assert [image.read().grid_shape[1] for image in stacks_of(held(objects_of(STACK, same))).images] == [7]


def test_a_frame_of_reference_a_file_is_one_of_the_series():
    objects = STACK.objects()
    for number, each in enumerate(objects):
        each.FrameOfReferenceUID = f"1.2.9.{number}"
    image = read_one(objects)
    np.testing.assert_array_equal(order_of(image), expected())
    assert [note for note in image.notes if "several frames of reference" in note] == list(image.notes[-1:])
    assert not any("of reference" in note for note in read_one(STACK.objects()).notes)


def test_a_frame_of_reference_that_not_all_files_state_is_that_of_the_series_alone():
    objects = STACK.objects()
    del objects[3].FrameOfReferenceUID
    assert any("no frame of reference, or not all of them" in note for note in read_one(objects).notes)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "a localiser"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "P"]}, "velocities of flow"),
        ({"SequenceName": "*fl2d1_v150in"}, "flow"),
        ({"InversionTime": 300.0}, "inversion recovery, as for late enhancement and maps"),
        ({"ScanningSequence": "SE"}, "spin echo or echo-planar, no cine"),
        ({"ImageType": ["DERIVED", "PRIMARY", "T1 MAP"]}, "a map of tissue"),
        ({"SeriesDescription": "SAX LGE Doe"}, "late enhancement"),
        ({"SeriesDescription": "T2map"}, "a map of tissue"),
        ({"SeriesDescription": "perf rest"}, "perfusion"),
        ({"SeriesDescription": "tagging SA"}, "tagged"),
        ({"SeriesDescription": "RVOT cine"}, "outflow tract of the right ventricle"),
        ({"SamplesPerPixel": 3}, "in colour, no grey values of a scanner"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4.2"}, "no magnetic resonance image"),
        ({"ImagePositionPatient": None}, "states no place in the patient, or no size of a pixel"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "its rows and columns are no directions at a right angle"),
        ({"Rows": 0}, "claims 0 x 5 pixels of 1.5 x 1.25 mm"),
    ],
)
def test_what_is_no_cine_is_left_out_with_the_reason(facts, reason):
    other = MadeSeries(7).with_facts(**facts)
    found = stacks_of(held(objects_of(STACK, other)))
    assert len(found.images) == 1
    assert found.left_out == (f"series 7: {reason} (48 images)",)


def test_single_images_and_images_of_many_beats_are_no_cines():
    single = MadeSeries(2, count=1)
    few = MadeSeries(3, count=3)
    perfusion = MadeSeries(4, (0.0, 10.0, 20.0), count=40).objects()
    for number, each in enumerate(perfusion):
        each.TriggerTime, each.CardiacNumberOfImages = 150.0, 1
        each.AcquisitionTime = f"1200{number % 40:02d}.5"
    echoes = MadeSeries(5, (0.0,), count=8).objects()
    for number, each in enumerate(echoes):
        each.EchoTime = 2.0 * number
    found = stacks_of(held([*objects_of(single, few), *perfusion, *echoes]))
    assert found.images == ()
    assert found.left_out == (
        "series 2: single images, no cine (4 images)",
        "series 3: at most 3 instants of the beat, no cine (12 images)",
        "series 4: one image a beat, as in perfusion (120 images)",
        "series 5: a map of tissue: echo times differ (8 images)",
    )


def lax(number, directions, description=""):
    return MadeSeries(number, (3.0,), directions=directions, description=description)


def test_long_axes_are_what_they_are_called_where_they_lie_so():
    found = stacks_of(
        held(
            objects_of(
                STACK,
                lax(2, FOUR_CHAMBER, "cine 4CH"),
                lax(3, TWO_CHAMBER, "cine VLA"),
                lax(4, THREE_CHAMBER, "3 chamber"),
                lax(5, TWO_CHAMBER[:3] + TWO_CHAMBER[3:], "2ch"),
            )
        )
    )
    # The second view of two chambers lies where the first did: the later one is taken.
    assert [image.name for image in found.images] == ["SAX", "4CH", "2CH", "3CH"]
    assert all(image.read().doubts == () for image in found.images)


def test_a_name_that_the_place_contradicts_gives_way_and_it_is_said():
    found = stacks_of(held(objects_of(STACK, lax(2, THREE_CHAMBER, "4CH"), lax(3, TWO_CHAMBER), lax(4, FOUR_CHAMBER))))
    views = {image.view: image.read() for image in found.images}
    assert set(views) == {View.SAX, View.THREE_CHAMBER, View.TWO_CHAMBER, View.FOUR_CHAMBER}
    assert views[View.THREE_CHAMBER].notes == (
        "called 4CH, but it is turned 129 degrees about the long axis, as 3CH is",
    )
    assert views[View.TWO_CHAMBER].notes == ("taken for 2CH: it is turned 66 degrees about the long axis",)


def test_a_place_between_views_is_no_view():
    axis, first = np.cross(SAX[:3], SAX[3:]), np.array(SAX[:3])
    # A plane that holds the axis, turned half-way between two and three chambers.
    left = np.array([1.0, 0, 0]) - np.array([1.0, 0, 0]) @ axis * axis
    left /= np.linalg.norm(left)
    apex = -axis
    along = left * np.cos(np.radians(97)) + np.cross(apex, left) * np.sin(np.radians(97))
    assert first.shape == along.shape
    found = stacks_of(held(objects_of(STACK, lax(2, (*along, *axis), "4CH"), lax(3, (*along, *axis)))))
    (image,) = (image for image in found.images if image.view is not View.SAX)
    assert (image.name, image.view) == ("cine", View.UNKNOWN)
    assert image.read().doubts == ("called 4CH, but it is turned 97 degrees about the long axis, where no view lies",)


def test_without_a_short_axis_names_alone_count():
    found = stacks_of(held(objects_of(lax(2, THREE_CHAMBER, "4CH"), lax(3, SAX))))
    assert [image.view for image in found.images] == [View.FOUR_CHAMBER]
    assert found.left_out == ("series 3: lies across the heart, and is no stack (12 images)",)


def test_a_stack_of_the_body_is_no_short_axis():
    found = stacks_of(held(replace(STACK, directions=AXIAL).objects()))
    assert found.images == ()
    assert found.left_out == ("series 1: a stack without a name that lies 61 degrees off a short axis (48 images)",)


def test_nothing_shows_who_it_is():
    found = stacks_of(held(objects_of(MadeSeries(description="Doe Jane SAX"), MadeSeries(2, description="Doe LGE"))))
    said = [*found.left_out, *(image.name for image in found.images), *found.images[0].read().notes]
    assert "Doe" not in " ".join(said)


def test_scales_signs_and_bits():
    scaled = read_one(STACK.with_facts(RescaleSlope="0.5", RescaleIntercept="-10").objects())
    assert scaled.frames.dtype == np.float32
    np.testing.assert_allclose(order_of(scaled), expected() * 0.5 - 10)
    signed = STACK.with_facts(PixelRepresentation=1).objects()
    for each in signed:
        each.PixelData = np.full((6, 5), 0x0FFF, np.uint16).tobytes()  # -1 in twelve bits
    image = read_one(signed)
    assert image.frames.dtype == np.int16
    assert (image.frames == -1).all()
    graphics = STACK.objects()
    for each in graphics:
        each.PixelData = (np.frombuffer(each.PixelData, np.uint16) | 0x1000).tobytes()
    np.testing.assert_array_equal(order_of(read_one(graphics)), expected())
    inverse = STACK.with_facts(PhotometricInterpretation="MONOCHROME1").objects()
    np.testing.assert_array_equal(order_of(read_one(inverse)), 4095 - expected())


def test_pixels_that_are_not_there():
    objects = STACK.objects()
    objects[7].PixelData = objects[7].PixelData[:20]
    with pytest.raises(InputError, match="study"):
        stacks_of(held(objects)).images[0].read()
    del objects[7].PixelData
    with pytest.raises(InputError, match="no pixels"):
        stacks_of(held(objects)).images[0].read()


def test_an_enhanced_object_is_the_same_image():
    objects = STACK.objects()
    classic, multi = read_one(objects), read_one([enhanced(objects)])
    np.testing.assert_array_equal(multi.frames, classic.frames)
    np.testing.assert_allclose(multi.geometry.affine, classic.geometry.affine)
    np.testing.assert_allclose(multi.times_ms, classic.times_ms)
    assert (multi.view, multi.acquisition.heart_rate_bpm) == (classic.view, classic.acquisition.heart_rate_bpm)
    numbers = {frame.number for instant in multi.source.header.frames for frame in instant}
    assert numbers == set(range(1, 49))


def test_how_grey_values_are_weighted_makes_no_map():
    made = enhanced(STACK.objects())
    modifier = Dataset()
    modifier.InversionRecovery, modifier.InversionTimes = "NO", [0.0]
    for groups in made.PerFrameFunctionalGroupsSequence:
        groups.MRImageFrameTypeSequence[0].AcquisitionContrast = "T1"
        groups.MRModifierSequence = [modifier]
    np.testing.assert_array_equal(order_of(read_one([made])), expected())


def test_an_enhanced_object_without_its_groups_is_left_out():
    made = enhanced(STACK.objects())
    made.NumberOfFrames = 10**9
    found = stacks_of(held([made]))
    assert found.left_out == ("series 1: describes 48 of the 1000000000 frames that it states (1 image)",)


def test_without_trigger_delays_dimension_indices_order_the_instants():
    made = enhanced(STACK.objects())
    for item in made.PerFrameFunctionalGroupsSequence:
        del item.CardiacSynchronizationSequence[0].NominalCardiacTriggerDelayTime
    image = read_one([made])
    np.testing.assert_array_equal(order_of(image), expected())


@pytest.fixture(scope="module")
def volunteer(data_root):
    folder = data_root / "bivme_dicom/patient1"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    return real_files(folder)


@pytest.mark.data
def test_the_volunteer(volunteer):
    start = time.process_time()
    found = stacks_of(volunteer)
    assert time.process_time() - start < 0.6  # 0.1 s on an idle machine
    assert [image.name for image in found.images] == ["SAX", "4CH", "2CH", "2CH_2", "3CH"]
    assert found.left_out == ("series 22001: outflow tract of the right ventricle (25 images)",)
    stack = found.images[0].read()
    assert stack.grid_shape == (25, 6, 208, 256)
    assert stack.spacing_mm == pytest.approx((17.7, 1.40625, 1.40625), abs=1e-3)
    assert any("70 to 77 beats a minute" in note for note in stack.notes)
    (three,) = (image for image in found.images if image.name == "3CH")
    assert three.read().notes == ("called 4CH, but it is turned 129 degrees about the long axis, as 3CH is",)


@pytest.mark.data
def test_the_volunteer_as_enhanced_mr(volunteer):
    classic = stacks_of(volunteer).images[0]
    multi = read_one([enhanced([file.read() for file in classic.files])])
    image = classic.read()
    np.testing.assert_array_equal(multi.frames, image.frames)
    np.testing.assert_allclose(multi.geometry.affine, image.geometry.affine)


@pytest.mark.data
@pytest.mark.parametrize(
    "name", ["bivme_dicom/patient1/Se6", "bivme_dicom/patient1/Se3", "sunnybrook_dicom/SCD0000301"]
)
def test_places_are_those_of_another_reader(data_root, tmp_path, name):
    program = shutil.which("dcm2niix")
    if program is None or not (data_root / name).is_dir():
        pytest.skip("needs dcm2niix and the data")
    subprocess.run([program, "-z", "n", "-o", str(tmp_path), str(data_root / name)], check=True, capture_output=True)
    other = nibabel.load(next(tmp_path.glob("*.nii")))
    files = real_files(data_root / name)
    for file in files:  # a slice alone is a cine where it is called one
        file.header.SeriesDescription = file.header.get("SeriesDescription") or "SAX"
        file.header.SeriesDescription += " SAX" if name.endswith("Se3") else ""
    image = stacks_of(files).images[0].read()
    depth, height, width = image.grid_shape[1:]
    grid = np.stack([*np.indices((depth, height, width)).reshape(3, -1), np.ones(depth * height * width)])
    points = image.geometry.affine @ grid
    index = np.rint(np.linalg.inv(other.affine) @ points)
    apart = np.abs((other.affine @ index - points)[:3])
    # Of one slice to a ten-thousandth; positions are written with six digits, and it takes the first two slices.
    assert apart.max() < (1e-4 if depth == 1 else 1.5e-3)
    x, y, z = index[:3].astype(int)
    theirs = np.asarray(other.dataobj)[x, y, z].reshape(depth, height, width, -1)
    np.testing.assert_array_equal(np.moveaxis(theirs, -1, 0), image.frames)
    for slice_, frame in enumerate(image.source.header.frames[0]):
        stated = np.array(frame.file.header.ImagePositionPatient) * [-1, -1, 1]
        assert np.abs(image.geometry.point_mm((slice_, 0, 0)) - stated).max() < 7e-4
