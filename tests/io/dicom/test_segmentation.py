"""Label maps as DICOM segmentations: back to the bit, on the right frames, valid, and read by another program."""

from dataclasses import replace
from datetime import timedelta

import highdicom
import numpy as np
import pytest
from pydicom import dcmread

from cardiotrace.clinical import measure
from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import FileSource, Image
from cardiotrace.core.label import ACDC, CAMUS, CHAMBERS, LV_ONLY, SCHEMES, LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.io.dicom.code import STRUCTURES
from cardiotrace.io.dicom.derived import write_object
from cardiotrace.io.dicom.segmentation import Author, segmentation_of
from cardiotrace.io.dicom.segmentation_reader import read_segmentation
from cardiotrace.io.dicom.source import DicomFile, DicomFrame, DicomSource
from tests.fake.dicom_exam import (
    BIRTH,
    MADE,
    NAME,
    PATIENT_ID,
    film,
    stack,
    without_frame,
    write_enhanced,
    write_stack,
    write_ultrasound,
)
from tests.programs import complaints

NET = Author("tiny-net")


@pytest.fixture
def echo(tmp_path):
    # 41 x 47 pixels: frames of single bits do not end where bytes do.
    return film(write_ultrasound(tmp_path / "us", shape=(41, 47)))


@pytest.fixture
def mri(tmp_path):
    return stack(write_stack(tmp_path / "mr"))


@pytest.fixture(params=["echo", "mri"])
def either(request):
    return request.getfixturevalue(request.param)


def written(tmp_path, exam, labels, **changes):
    """The segmentation of the one image of an exam, in a file."""
    image = exam.images[0]
    made = segmentation_of(
        labels[image.name],
        image.image.source.header,
        **{"author": NET, "made": MADE, "name": image.name} | changes,
    )
    path = tmp_path / f"{image.name}_seg.dcm"
    write_object(made, path)
    return path


def test_what_is_read_back_is_the_same_to_the_bit_and_measures_the_same(tmp_path, either):
    exam, labels = either
    image = exam.images[0]
    path = written(tmp_path, exam, labels)
    back = read_segmentation(path, labels[image.name].scheme, image.image)
    np.testing.assert_array_equal(back.array, labels[image.name].array)
    assert len(np.unique(back.array)) == 4
    assert back.notes == ()
    measured, expected = measure(exam, {image.name: back}), measure(exam, labels)
    assert measured.to_plain() == expected.to_plain()
    assert measured.ejection_fraction_percent > 30


def test_the_validator_finds_no_error(tmp_path, either):
    assert complaints(written(tmp_path, *either)) == []


def test_another_program_reads_the_film_equal(tmp_path, echo):
    exam, labels = echo
    read = highdicom.seg.segread(written(tmp_path, exam, labels))
    uid = exam.images[0].image.source.header.frames[0][0].file.header.SOPInstanceUID
    found = read.get_pixels_by_source_frame(uid, [1, 2, 3, 4], combine_segments=True, rescale_fractional=False)
    np.testing.assert_array_equal(found, labels["A4C"].array[:, 0])
    assert [read.get_segment_description(number).segment_label for number in (1, 2, 3)] == ["LV", "MYO", "LA"]


def test_another_program_reads_the_stack_equal(tmp_path, mri):
    exam, labels = mri
    read = highdicom.seg.segread(written(tmp_path, exam, labels))
    frames = exam.images[0].image.source.header.frames
    uids = [str(frame.file.header.SOPInstanceUID) for row in frames for frame in row]
    found = read.get_pixels_by_source_instance(uids, combine_segments=True)
    order = [read.get_segment_description(number).segment_label for number in (1, 2, 3)]
    table = np.array([0, *(ACDC.value(Structure(word)) for word in order)], np.uint8)
    np.testing.assert_array_equal(table[found].reshape(labels["SAX"].array.shape), labels["SAX"].array)


def test_it_is_of_the_patient_and_the_study_and_in_a_series_of_its_own(tmp_path, either):
    exam, labels = either
    source = exam.images[0].image.source.header.frames[0][0].file.header
    read = dcmread(written(tmp_path, exam, labels))
    assert (read.PatientName, read.PatientID, read.PatientBirthDate) == (NAME, PATIENT_ID, BIRTH)
    assert (read.StudyInstanceUID, read.AccessionNumber) == (source.StudyInstanceUID, "A-1")
    assert (read.StudyDate, read.ContentDate, read.ContentTime) == ("20260502", "20260504", "103015")
    assert read.SeriesInstanceUID != source.SeriesInstanceUID
    assert read.Manufacturer == "CardioTrace"
    assert "InstitutionName" not in read


def test_segments_say_what_they_are_and_who_drew_them(tmp_path, echo):
    read = dcmread(written(tmp_path, *echo))
    segments = {item.SegmentLabel: item for item in read.SegmentSequence}
    codes = {label: item.SegmentedPropertyTypeCodeSequence[0].CodeValue for label, item in segments.items()}
    assert codes == {"LV": "87878005", "MYO": "49848007", "LA": "82471001"}
    algorithm = segments["LV"].SegmentationAlgorithmIdentificationSequence[0]
    assert (segments["LV"].SegmentAlgorithmType, algorithm.AlgorithmName) == ("AUTOMATIC", "tiny-net")
    by_hand = dcmread(written(tmp_path, *echo, author=Author()))
    assert [item.SegmentAlgorithmType for item in by_hand.SegmentSequence] == ["MANUAL"] * 3
    assert "SegmentationAlgorithmIdentificationSequence" not in by_hand.SegmentSequence[0]


def test_codes_of_structures_are_those_of_the_dictionary():
    from pydicom.sr.codedict import codes

    heart = {str(code.value): code.meaning for code in (getattr(codes.cid12305, name) for name in codes.cid12305.dir())}
    for structure, code in STRUCTURES.items():
        if structure is not Structure.VESSEL:
            assert heart[code.value] == code.meaning
    assert codes.SCT.BloodVessel.value == STRUCTURES[Structure.VESSEL].value


def test_every_plane_lies_on_the_frame_it_was_drawn_on(tmp_path, mri):
    exam, labels = mri
    read = dcmread(written(tmp_path, exam, labels))
    frames = exam.images[0].image.source.header.frames
    seen = set()
    for groups in read.PerFrameFunctionalGroupsSequence:
        segment, time, depth = groups.FrameContentSequence[0].DimensionIndexValues
        source = frames[time - 1][depth - 1].file.header
        assert groups.PlanePositionSequence[0].ImagePositionPatient == source.ImagePositionPatient
        reference = groups.DerivationImageSequence[0].SourceImageSequence[0]
        assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
        seen.add((segment, time, depth))
    assert len(seen) == read.NumberOfFrames == 3 * 3 * 4
    named = {item.ReferencedSOPInstanceUID for item in read.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    assert named == {frame.file.header.SOPInstanceUID for row in frames for frame in row}
    assert read.FrameOfReferenceUID == frames[0][0].file.header.FrameOfReferenceUID


def test_a_film_has_frame_numbers_and_no_place(tmp_path, echo):
    read = dcmread(written(tmp_path, *echo))
    references = [
        (groups.FrameContentSequence[0].TemporalPositionIndex, source.ReferencedFrameNumber)
        for groups in read.PerFrameFunctionalGroupsSequence
        for source in groups.DerivationImageSequence[0].SourceImageSequence
    ]
    assert references == [(time, time) for _ in range(3) for time in (1, 2, 3, 4)]
    assert "FrameOfReferenceUID" not in read
    assert "PlanePositionSequence" not in read.PerFrameFunctionalGroupsSequence[0]


def test_what_was_lost_in_the_source_is_said(tmp_path, echo):
    exam, labels = echo
    header = exam.images[0].image.source.header.frames[0][0].file.header
    header.LossyImageCompression, header.LossyImageCompressionRatio = "01", "12.5"
    header.LossyImageCompressionMethod = "ISO_10918_1"
    path = written(tmp_path, exam, labels)
    assert (dcmread(path).LossyImageCompression, dcmread(path).LossyImageCompressionRatio) == ("01", 12.5)
    assert complaints(path) == []


def test_an_empty_instant_is_left_out_and_comes_back_empty(tmp_path, either):
    exam, labels = either
    image = exam.images[0]
    fewer = without_frame(exam, labels, 1)
    path = written(tmp_path, exam, fewer)
    assert 2 not in {
        groups.FrameContentSequence[0].TemporalPositionIndex
        for groups in dcmread(path).PerFrameFunctionalGroupsSequence
    }
    back = read_segmentation(path, labels[image.name].scheme, image.image)
    np.testing.assert_array_equal(back.array, fewer[image.name].array)


def test_nothing_outlined_is_nothing_to_write(tmp_path, echo):
    exam, labels = echo
    nothing = {"A4C": replace(labels["A4C"], array=np.zeros_like(labels["A4C"].array))}
    with pytest.raises(InputError, match="A4C holds no structure"):
        written(tmp_path, exam, nothing)


def test_labels_of_another_grid_are_refused(tmp_path, echo):
    exam, labels = echo
    cropped = {"A4C": replace(labels["A4C"], array=labels["A4C"].array[:, :, 1:])}
    with pytest.raises(InputError, match=r"\(4, 1, 40, 47\) do not lie on DICOM planes of shape \(4, 1, 41, 47\)"):
        written(tmp_path, exam, cropped)


def test_an_instant_that_was_taken_twice_keeps_its_own_labels(tmp_path, mri):
    exam, labels = mri
    image = exam.images[0]
    frames = image.image.source.header.frames
    twice = replace(image.image.source, header=DicomSource([frames[0], frames[1], frames[1]]))
    exam = replace(exam, images=(replace(image, image=replace(image.image, source=twice)),))
    assert not np.array_equal(labels["SAX"].array[1], labels["SAX"].array[2])
    back = read_segmentation(written(tmp_path, exam, labels), ACDC, exam.images[0].image)
    np.testing.assert_array_equal(back.array, labels["SAX"].array)


def test_the_same_at_the_same_moment_is_the_same_file_and_later_another_object_of_the_series(tmp_path, echo):
    first = written(tmp_path, *echo).read_bytes()
    assert written(tmp_path, *echo).read_bytes() == first
    before = dcmread(tmp_path / "A4C_seg.dcm")
    after = dcmread(written(tmp_path, *echo, made=MADE + timedelta(seconds=1)))
    assert after.SOPInstanceUID != before.SOPInstanceUID
    assert after.SeriesInstanceUID == before.SeriesInstanceUID
    other = dcmread(written(tmp_path, echo[0], without_frame(*echo, 0)))
    assert other.SOPInstanceUID != before.SOPInstanceUID


def test_an_enhanced_object_says_where_its_planes_lie(tmp_path):
    path = write_enhanced(tmp_path / "mr.dcm", depth=6)
    header = dcmread(path, stop_before_pixels=True)
    file = DicomFile(path, header, lambda: dcmread(path))
    source = DicomSource([[DicomFrame(file, number) for number in range(1, 7)]])
    array = np.zeros((1, 6, 40, 48), np.uint8)
    array[0, 2:5, 10:30, 12:20] = 3
    frames = dcmread(path).pixel_array[None]
    image = Image(frames, NO_GEOMETRY, source=FileSource(path, "dicom", ".dcm", header=source))
    target = tmp_path / "seg.dcm"
    write_object(segmentation_of(LabelMap(array, ACDC, NO_GEOMETRY), source, author=NET, made=MADE), target)
    read = dcmread(target)
    found = [groups.PlanePositionSequence[0].ImagePositionPatient for groups in read.PerFrameFunctionalGroupsSequence]
    assert found == [[-40, 12.5, 9 * plane] for plane in (2, 3, 4)]
    assert read.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing == [1.5, 1.25]
    assert complaints(target) == []
    np.testing.assert_array_equal(read_segmentation(target, ACDC, image).array, array)


def test_a_scheme_that_lacks_a_structure_says_so(tmp_path, echo):
    exam, labels = echo
    image = exam.images[0].image
    back = read_segmentation(written(tmp_path, exam, labels), LV_ONLY, image)
    assert back.notes == tuple(f"segment {name} has no value in scheme lv" for name in ("MYO", "LA"))
    np.testing.assert_array_equal(back.array, labels["A4C"].to(LV_ONLY).array)
    with pytest.raises(InputError, match="none of its segments is a structure of scheme vessel"):
        read_segmentation(tmp_path / "A4C_seg.dcm", SCHEMES["vessel"], image)


def test_several_objects_make_one_label_map(tmp_path, echo):
    exam, labels = echo
    paths = []
    for structure in (Structure.LV, Structure.LA):
        only = {"A4C": replace(labels["A4C"], array=labels["A4C"].array * labels["A4C"].mask(structure))}
        paths.append(written(tmp_path, exam, only).rename(tmp_path / f"{structure}.dcm"))
    back = read_segmentation(paths, CHAMBERS, exam.images[0].image)
    np.testing.assert_array_equal(back.mask(Structure.LV), labels["A4C"].mask(Structure.LV))
    np.testing.assert_array_equal(back.mask(Structure.LA), labels["A4C"].mask(Structure.LA))


def test_the_segmentation_of_another_program_is_read(tmp_path, mri):
    """Made by highdicom of one instant: other order, other words, no instants named."""
    exam, labels = mri
    files = [frame.file.read() for frame in exam.images[0].image.source.header.frames[0]]
    description = highdicom.seg.SegmentDescription(
        segment_number=1,
        segment_label="cavity",
        segmented_property_category=highdicom.sr.CodedConcept("123037004", "SCT", "Anatomical Structure"),
        segmented_property_type=highdicom.sr.CodedConcept("87878005", "SCT", "Left ventricle"),
        algorithm_type="MANUAL",
    )
    made = highdicom.seg.Segmentation(
        files, labels["SAX"].mask(Structure.LV)[0], "BINARY", [description], series_instance_uid="1.2.3",
        series_number=1, sop_instance_uid="1.2.3.4", instance_number=1, manufacturer="m",
        manufacturer_model_name="m", software_versions="1", device_serial_number="1",
    )  # fmt: skip
    made.save_as(tmp_path / "theirs.dcm")
    back = read_segmentation(tmp_path / "theirs.dcm", ACDC, exam.images[0].image)
    np.testing.assert_array_equal(back.mask(Structure.LV)[0], labels["SAX"].mask(Structure.LV)[0])
    assert not back.array[1:].any()


def test_an_image_that_is_no_dicom_has_no_dicom_segmentation(tmp_path, echo):
    exam, labels = echo
    path = written(tmp_path, exam, labels)
    with pytest.raises(InputError, match="lies on a DICOM image, and this image is none"):
        read_segmentation(path, CAMUS, replace(exam.images[0].image, source=None))


def _of_another(read):
    for groups in read.PerFrameFunctionalGroupsSequence:
        groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID = "1.2.3"


def _overlapping(read):
    read.SegmentSequence[1].SegmentedPropertyTypeCodeSequence[0].CodeValue = "82471001"
    read.PixelData = b"\xff" * len(read.PixelData)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_of_another, "a frame of it names no frame of this one"),
        (lambda read: setattr(read, "Rows", 40), "frames of 40 x 47 pixels, and the image has 41 x 47"),
        (lambda read: setattr(read, "SegmentationType", "FRACTIONAL"), "is a fractional segmentation"),
        (lambda read: setattr(read, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.66.7"), "not a binary one"),
        (lambda read: setattr(read, "NumberOfFrames", 10**9), "says 1000000000 frames and describes 12"),
        (lambda read: setattr(read, "PixelData", read.PixelData[:100]), "can be read"),
        (lambda read: delattr(read, "PixelData"), "can be read"),
        (_overlapping, "segments LV and LA overlap in frame 1"),
        (lambda read: read.PerFrameFunctionalGroupsSequence.pop(), "says 12 frames and describes 11"),
        (
            lambda read: delattr(read.PerFrameFunctionalGroupsSequence[3], "SegmentIdentificationSequence"),
            "can be read",
        ),
        (lambda read: delattr(read.SegmentSequence[0], "SegmentNumber"), "can be read"),
    ],
)
def test_bad_input_is_one_line(tmp_path, echo, change, words):
    exam, labels = echo
    path = written(tmp_path, exam, labels)
    read = dcmread(path)
    change(read)
    read.save_as(path)
    with pytest.raises(InputError, match=words) as caught:
        read_segmentation(path, CAMUS, exam.images[0].image)
    assert len(str(caught.value).splitlines()) <= 2


def test_a_file_that_is_no_dicom_is_one_line(tmp_path, echo):
    path = tmp_path / "seg.dcm"
    for content in (b"", b"no DICOM at all", written(tmp_path, *echo).read_bytes()[:700]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"seg\.dcm"):
            read_segmentation(path, CAMUS, echo[0].images[0].image)
