"""Copies of DICOM without what tells whose they are: nothing of it is left in any byte, and what is measured stays."""

import csv
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.datadict import DicomDictionary
from pydicom.pixels import pixel_array
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    OphthalmicPhotography8BitImageStorage,
    RLELossless,
    SecondaryCaptureImageStorage,
    generate_uid,
)

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.datasets.exam_discovery import find_exams, read_exam
from cardiotrace.io.dicom.study import find_studies
from cardiotrace.workflows.anonymise import AnonymiseConfig, anonymise
from tests.fake import cine_mri
from tests.fake.ultrasound import INSTITUTION, NAME, NUMBER, pixels, region, ultrasound, write

WORD, DAY, UID = "SENTINEL", "19770707", "1.2.826.0.1.77777"
"""What stands in every element that could tell of somebody, and in no copy."""
NEEDED = {
    "SpecificCharacterSet",
    "SOPClassUID",
    "Modality",
    "PhotometricInterpretation",
    "TransferSyntaxUID",
    "ManufacturerModelName",
}
"""Elements without sentinels: those that make an object what it is, and the kind of scanner, which is kept."""
KEY = "a key of some length"


def copied(source, out, **how):
    """The copies, and the result."""
    result = anonymise(AnonymiseConfig(exams=(Path(source),), out=Path(out), **how))
    for failure in result.failures:
        raise failure.error
    return [pydicom.dcmread(done.folder / name) for done in result.done for name in done.files], result.done


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "key"
    path.write_text(KEY)
    return path


def sentinel(kind):
    """A value of a kind that looks right and names somebody."""
    return {"PN": f"{WORD}^Name", "CS": WORD, "AE": WORD, "SH": WORD, "DA": DAY, "DT": f"{DAY}101010", "UI": f"{UID}.5",
            "LO": f"{WORD} words", "LT": f"{WORD} words", "ST": f"{WORD} words", "UT": f"{WORD} words",
            "UC": f"{WORD} words", "UR": f"http://{WORD}", "AS": "097Y"}.get(kind)  # fmt: skip


def with_sentinels(made):
    """An object with a sentinel in every element of text that the standard knows, in sequences, and in private ones."""
    item = pydicom.Dataset()
    item.CodeValue, item.CodeMeaning, item.PersonName = WORD, f"{WORD} words", f"{WORD}^Nested"
    item.ReferencedSOPInstanceUID, item.Date = f"{UID}.6", DAY
    for tag, (kind, _, _, _, keyword) in DicomDictionary.items():
        if not 0x0008 <= tag >> 16 < 0x7FE0 or not keyword or keyword in NEEDED:
            continue
        if kind == "SQ" and keyword not in made:
            setattr(made, keyword, [item])
        elif sentinel(kind) is not None:
            setattr(made, keyword, sentinel(kind))
    block = made.private_block(0x0011, f"{WORD} CREATOR", create=True)
    block.add_new(0x01, "LO", f"{WORD} private")
    block.add_new(0x02, "SQ", [item])
    made.add_new(0x60003000, "OW", f"{WORD}{WORD}".encode())
    made.add_new(0x60000022, "LO", f"{WORD} overlay")
    for box in made.SequenceOfUltrasoundRegions:
        box.add_new(0x00080080, "LO", f"{WORD} in a region")
    made.SeriesDescription = f"{WORD} A4C"
    made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID = f"{UID}.1", f"{UID}.2", f"{UID}.3"
    made.file_meta.MediaStorageSOPInstanceUID = f"{UID}.3"
    made.file_meta.SourceApplicationEntityTitle = WORD
    made.file_meta.PrivateInformationCreatorUID, made.file_meta.PrivateInformation = f"{UID}.9", WORD.encode()
    made.preamble = (WORD * 16).encode()
    return made


def test_no_sentinel_is_in_any_byte_or_name(tmp_path):
    source = write(tmp_path / WORD / f"{WORD}.dcm", with_sentinels(ultrasound(pixels(1), regions=[region()])))
    assert source.read_bytes().count(WORD.encode()) > 500
    (copy,), (done,) = copied(tmp_path / WORD, tmp_path / "out")
    told = b"".join(path.read_bytes() for path in done.folder.rglob("*") if path.is_file())
    names = str([path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*")])
    for word in (WORD, DAY, UID, "CREATOR"):
        assert word.encode() not in told
        assert word not in names
    assert copy.SeriesDescription == "A4C"
    assert copy.PatientAge == "090Y"
    assert copy.preamble == bytes(128)
    assert str(read_exam(done.folder).images[0].image.view) == "4CH"


def test_what_is_removed_is_listed_without_its_value(tmp_path):
    write(tmp_path / "in" / "a", with_sentinels(ultrasound(pixels(1), regions=[region()])))
    _, (done,) = copied(tmp_path / "in", tmp_path / "out")
    lines = (done.folder / "removed.csv").read_text().splitlines()
    rows = {row["tag"]: row for row in csv.DictReader(lines)}
    assert rows["(0008,0080)"] == {"tag": "(0008,0080)", "keyword": "InstitutionName", "count": "2", "what": "removed"}
    assert rows["(0010,0010)"]["what"] == "replaced"
    assert rows["(0008,0090)"]["what"] == "emptied"
    assert rows["(0011,1001)"]["keyword"] == "private"
    assert "(0028,0010)" not in rows
    assert done.removed == len(rows)


def assert_read_alike(one, other, *, black=False):
    assert [image.name for image in one.images] == [image.name for image in other.images]
    for first, second in zip(one.images, other.images, strict=True):
        a, b = first.image, second.image
        np.testing.assert_array_equal(a.frames, b.frames)
        np.testing.assert_array_equal(a.geometry.affine, b.geometry.affine)
        np.testing.assert_array_equal(a.times_ms, b.times_ms)
        assert (a.view, a.modality, a.times, a.notes) == (b.view, b.modality, b.times, b.notes)
        assert a.spacing_mm == b.spacing_mm
        assert (a.acquisition.heart_rate_bpm, a.acquisition.r_waves_ms) == (
            b.acquisition.heart_rate_bpm, b.acquisition.r_waves_ms
        )  # fmt: skip


def test_ultrasound_is_read_alike_and_is_black_beside_its_region(tmp_path):
    made = ultrasound(regions=[region()], SeriesDescription="Roe apical 4 chamber", HeartRate=71, InstanceNumber=3)
    write(tmp_path / "in" / "a", made)
    (copy,), (done,) = copied(tmp_path / "in", tmp_path / "out")
    before, after = read_exam(tmp_path / "in"), read_exam(done.folder)
    assert_read_alike(before, after)
    assert (before.patient, after.facts["heart_rate_bpm"]) == (after.patient, "71")
    values, original = copy.pixel_array, made.pixel_array
    np.testing.assert_array_equal(values[:, 5:35, 10:50], original[:, 5:35, 10:50])
    values[:, 5:35, 10:50] = 0
    assert not values.any()
    assert copy.file_meta.TransferSyntaxUID.name == "JPEG-LS Lossless Image Compression"
    assert (copy.PatientIdentityRemoved, copy.BurnedInAnnotation) == ("YES", "NO")
    codes = [item.CodeValue for item in copy.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101", "113105", "113107", "113108"]
    assert (done.blackened, done.screens) == (1, 0)


@pytest.mark.parametrize(
    ("meaning", "count", "syntax"),
    [
        ("RGB", 1, ExplicitVRLittleEndian),
        ("RGB", 3, JPEGLSLossless),
        ("YBR_FULL", 1, RLELossless),  # the only one that ultrasound of this kind may have
        ("YBR_FULL", 3, RLELossless),
    ],
)
def test_colours_stay_and_black_is_black(tmp_path, meaning, count, syntax):
    made = ultrasound(
        pixels(count, channels=(3,)), regions=[region()], PhotometricInterpretation=meaning, SeriesDescription="A4C"
    )
    write(tmp_path / "in" / "a", made)
    (copy,), (done,) = copied(tmp_path / "in", tmp_path / "out")
    assert (copy.PhotometricInterpretation, copy.file_meta.TransferSyntaxUID) == (meaning, syntax)
    assert copy.PlanarConfiguration == (syntax == RLELossless)
    kept, original = (pixel_array(each, raw=True)[..., 5:35, 10:50, :] for each in (copy, made))
    np.testing.assert_array_equal(kept, original)
    assert_read_alike(read_exam(tmp_path / "in"), read_exam(done.folder))
    shown = copy.pixel_array  # as RGB, whatever is stored
    assert shown[..., 0, 0, :].max() <= 1
    assert shown[..., 20, 30, :].max() > 1


def test_a_photograph_becomes_the_colours_that_are_read(tmp_path):
    made = ultrasound(
        pixels(1, channels=(3,)),
        regions=[],
        SOPClassUID=OphthalmicPhotography8BitImageStorage,
        PhotometricInterpretation="YBR_FULL",
        BurnedInAnnotation="NO",
    )
    write(tmp_path / "in" / "a", made)
    (copy,), (done,) = copied(tmp_path / "in", tmp_path / "out")
    assert (copy.PhotometricInterpretation, copy.PlanarConfiguration) == ("RGB", 0)
    before, after = read_exam(tmp_path / "in"), read_exam(done.folder)
    np.testing.assert_array_equal(before.images[0].image.frames, after.images[0].image.frames)
    np.testing.assert_array_equal(copy.pixel_array, after.images[0].image.frames[0, 0])


def test_a_palette_becomes_colours_in_either_byte_order(tmp_path):
    ramp = (np.arange(256) << 8).astype(np.uint16)
    found = []
    for syntax, order in ((None, "<"), (ExplicitVRBigEndian, ">")):
        made = ultrasound(
            pixels(1), regions=[region()], PhotometricInterpretation="PALETTE COLOR", SeriesDescription="A4C"
        )
        for colour in ("Red", "Green", "Blue"):
            setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
            setattr(made, f"{colour}PaletteColorLookupTableData", ramp.astype(f"{order}u2").tobytes())
        folder = tmp_path / f"in{order == '>'}"
        if syntax is not None:
            made.file_meta.TransferSyntaxUID = syntax
        write(folder / "a", made)
        (copy,), _ = copied(folder, tmp_path / f"out{order == '>'}")
        found.append(copy.pixel_array)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0][5:35, 10:50, 1], pixels(1)[0, 5:35, 10:50])


def test_cine_mri_is_read_alike_without_its_words(tmp_path):
    cine_mri.write_study(tmp_path / "in", Manufacturer=f"SIEMENS at {INSTITUTION}")
    copies, (done,) = copied(tmp_path / "in", tmp_path / "out")
    before, after = read_exam(tmp_path / "in"), read_exam(done.folder)
    assert_read_alike(before, after)
    assert [len(image.image.frames) for image in after.images] == [10, 10]
    assert {copy.SeriesDescription for copy in copies} == {"SAX", "4CH"}
    assert {copy.Manufacturer for copy in copies} == {"SIEMENS"}
    assert after.patient.age_years == 90  # 94 by the two dates, and rare enough to be known by it
    assert (after.patient.sex, after.patient.weight_kg) == ("M", 81.5)
    assert "date" not in after.facts
    assert {copy.StudyDate for copy in copies} == {""}
    assert min(copy.AcquisitionTime for copy in copies) == "000000.000000"
    told = b"".join(path.read_bytes() for path in done.folder.rglob("*") if path.is_file())
    assert not any(word.encode() in told for word in (NAME, NUMBER, INSTITUTION, "19300412", "Roe", "20240413"))


def test_what_is_beside_the_stored_bits_is_gone(tmp_path):
    values = np.full(cine_mri.SHAPE, 0x5123)
    axes = cine_mri.directions(*cine_mri.SHORT_AXIS)
    made = cine_mri.plane(3, "sax", (0, 0, 0), axes, instance=1, trigger_ms=0, values=values)
    write(tmp_path / "in" / "a", made)
    (copy,), _ = copied(tmp_path / "in", tmp_path / "out")
    assert set(np.frombuffer(copy.PixelData, "<u2")) == {0x0123}


def test_identifiers_stay_together_over_the_run(tmp_path, key):
    cine_mri.write_study(tmp_path / "one")
    other = ultrasound(pixels(1), regions=[region()], patient=NUMBER, study="1.2.3", SeriesDescription="A2C")
    first = pydicom.dcmread(tmp_path / "one" / "IM0001")
    reference = pydicom.Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = first.SOPClassUID, first.SOPInstanceUID
    other.ReferencedImageSequence = [reference]
    write(tmp_path / "two" / "a", other)
    result = anonymise(AnonymiseConfig(exams=(tmp_path / "one", tmp_path / "two"), out=tmp_path / "out", key=key))
    one, two = ([pydicom.dcmread(done.folder / name) for name in done.files] for done in result.done)
    assert {copy.PatientID for copy in one} == {copy.PatientID for copy in two}
    assert len({copy.SeriesInstanceUID for copy in one}) == 2
    assert len({copy.SOPInstanceUID for copy in one}) == len(one) == 40
    assert len({copy.FrameOfReferenceUID for copy in one}) == 1
    assert {copy.StudyInstanceUID for copy in one}.isdisjoint(copy.StudyInstanceUID for copy in two)
    item = two[0].ReferencedImageSequence[0]
    assert item.ReferencedSOPInstanceUID in {copy.SOPInstanceUID for copy in one}
    assert item.ReferencedSOPClassUID == first.SOPClassUID
    names = [found.name for found in find_exams([tmp_path / "out"])]
    assert sorted(names) == sorted(done.name for done in result.done)


def test_one_key_gives_the_same_and_no_key_another(tmp_path, key):
    write(tmp_path / "in" / "a", ultrasound(pixels(1), regions=[region()]))
    contents = []
    for number, how in enumerate(({"key": key}, {"key": key}, {}, {})):
        _, (done,) = copied(tmp_path / "in", tmp_path / f"out{number}", **how)
        contents.append({path.relative_to(done.folder.parent): path.read_bytes() for path in done.folder.rglob("*.*")})
    assert contents[0] == contents[1]
    assert contents[2].keys().isdisjoint(contents[0])
    assert contents[2].keys().isdisjoint(contents[3])


def test_a_key_is_made_for_its_owner_and_kept(tmp_path):
    write(tmp_path / "in" / "a", ultrasound(pixels(1), regions=[region()]))
    path = tmp_path / "new.key"
    first, _ = copied(tmp_path / "in", tmp_path / "out", key=path)
    assert path.stat().st_mode & 0o777 == 0o600
    second, _ = copied(tmp_path / "in", tmp_path / "out", key=path)
    assert first[0].SOPInstanceUID == second[0].SOPInstanceUID
    path.write_text("short")
    with pytest.raises(InputError, match="is no key"):
        copied(tmp_path / "in", tmp_path / "out", key=path)
    with pytest.raises(UsageError, match="among the copies"):
        AnonymiseConfig(exams=(tmp_path / "in",), out=tmp_path / "out", key=tmp_path / "out" / "key")
    with pytest.raises(UsageError, match="among the originals"):
        AnonymiseConfig(exams=(tmp_path / "in",), out=tmp_path / "in" / "out")


WHOLE = region((0, 0, 59, 39))


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ({"SequenceOfUltrasoundRegions": None}, "no region of tissue"),
        ({"regions": [WHOLE]}, "no region of tissue"),
        ({"regions": [region((10, 5, 200, 34))]}, "no region of tissue"),
        ({"regions": [region((0, 0, 29, 39)), region((30, 0, 59, 39))]}, "side by side"),
        ({"regions": [region(spatial=3)]}, "a spectrum"),
        ({"regions": [region()], "SOPClassUID": SecondaryCaptureImageStorage}, "a secondary capture"),
        ({"regions": [], "SOPClassUID": OphthalmicPhotography8BitImageStorage}, "free of writing"),
    ],
)
def test_what_may_hold_names_in_its_pixels_is_left_out(tmp_path, elements, words):
    write(tmp_path / "in" / "screen", ultrasound(pixels(1), **elements))
    write(tmp_path / "in" / "film", ultrasound(pixels(1), regions=[region()]))
    copies, (done,) = copied(tmp_path / "in", tmp_path / "out")
    assert len(copies) == 1
    assert done.left_out[0].startswith("screen: ")
    assert words in done.left_out[0]
    copies, (done,) = copied(tmp_path / "in", tmp_path / "kept", keep_screens=True)
    assert sorted(copy.PatientIdentityRemoved for copy in copies) == ["NO", "YES"]
    assert (len(copies), done.screens, done.left_out) == (2, 1, ())
    assert sorted(str(copy.get("BurnedInAnnotation")) for copy in copies) == ["NO", "None"]


def test_a_whole_picture_that_says_it_is_free_of_writing_is_copied(tmp_path):
    write(tmp_path / "in" / "a", ultrasound(pixels(1), regions=[WHOLE], BurnedInAnnotation="NO"))
    assert len(copied(tmp_path / "in", tmp_path / "out")[0]) == 1


def test_magnetic_resonance_with_writing_is_left_out(tmp_path):
    cine_mri.write_study(tmp_path / "in", BurnedInAnnotation="YES")
    with pytest.raises(InputError, match="none of its 40 objects can be copied"):
        copied(tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("elements", [{"PatientBirthDate": "19350102"}, {"PatientSex": "M"}])
def test_a_study_that_people_share_is_left_out_as_in_reading(tmp_path, elements):
    shared, other = (ultrasound(pixels(1), regions=[region()], study=study) for study in ("1.2.3", "1.2.4"))
    write(tmp_path / "in" / "a", shared)
    write(tmp_path / "in" / "b", ultrasound(pixels(1), regions=[region()], study="1.2.3", **elements))
    write(tmp_path / "in" / "c", other)
    out = tmp_path / "out"
    result = anonymise(AnonymiseConfig(exams=(tmp_path / "in",), out=out))
    (why,) = next(study.left_out for study in find_studies(tmp_path / "in") if not study.images)
    assert [failure.error.what for failure in result.failures] == [why]
    assert "may be of several people" in why
    assert [path.parent.name for path in out.rglob("*.dcm")] == [done.name for done in result.done]
    assert len(result.done) == 1


def test_what_is_no_dicom_and_what_is_not_there(tmp_path):
    (tmp_path / "notes.txt").write_text("notes")
    for path, words in ((tmp_path / "notes.txt", "holds no DICOM"), (tmp_path / "nothing", "no such file")):
        with pytest.raises(InputError, match=words):
            copied(path, tmp_path / "out")


def test_copies_changed_by_hand_are_kept(tmp_path, key):
    write(tmp_path / "in" / "a", ultrasound(pixels(1), regions=[region()]))
    _, (done,) = copied(tmp_path / "in", tmp_path / "out", key=key)
    (done.folder / done.files[0]).write_bytes(b"mine")
    with pytest.raises(UsageError, match="changed by hand"):
        copied(tmp_path / "in", tmp_path / "out", key=key)
    assert copied(tmp_path / "in", tmp_path / "out", key=key, overwrite=True)[0]


def test_on_the_command_line(tmp_path, capsys):
    from cardiotrace.cli.main import main

    write(tmp_path / "in" / "a", ultrasound(pixels(1), regions=[region()]))
    write(tmp_path / "in" / "b", ultrasound(pixels(1), SOPInstanceUID=generate_uid()))
    assert main(["anonymise", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "1 object; removed.csv lists" in told
    assert "left out: b: states no region" in told
    assert "ANON-" in told


FILM = "color3d_jpeg_baseline.dcm"


@pytest.mark.slow
def test_a_real_film_is_read_alike(tmp_path):
    path = get_testdata_file(FILM, download=False)
    if path is None:
        pytest.skip(f"{FILM} is not at hand: pip install pydicom-data")
    shutil.copy(path, tmp_path / "film")
    _, (done,) = copied(tmp_path / "film", tmp_path / "out")
    before, after = read_exam(tmp_path / "film"), read_exam(done.folder)
    np.testing.assert_array_equal(before.images[0].image.frames, after.images[0].image.frames)
    assert before.images[0].image.spacing_mm == after.images[0].image.spacing_mm
    np.testing.assert_array_equal(before.images[0].image.times_ms, after.images[0].image.times_ms)
    assert complaints(done.folder / done.files[0]) <= complaints(tmp_path / "film")


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("study", ["bivme_dicom/patient1/Se8", "sunnybrook_dicom/SCD0000101"])
def test_real_cine_mri_has_no_new_errors(data_root, tmp_path, study):
    if not (data_root / study).is_dir():
        pytest.skip("the study is not at hand")
    source = sorted((data_root / study).glob("*.dcm"))[::20]
    for path in source:
        shutil.copy(path, tmp_path)
    _, (done,) = copied(tmp_path, tmp_path.with_name(f"{tmp_path.name}-out"))
    before = set().union(*(complaints(tmp_path / path.name) for path in source))
    assert set().union(*(complaints(done.folder / name) for name in done.files)) <= before


def complaints(path: Path) -> set[str]:
    """Errors of an object, by an independent program."""
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy is not at hand: Debian's dicom3tools")
    told = subprocess.run([program, "-new", str(path)], capture_output=True, text=True, errors="replace", check=False)
    return {line for line in (told.stderr + told.stdout).splitlines() if line.startswith("Error")}
