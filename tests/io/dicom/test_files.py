"""DICOM objects wherever they lie, and nothing else."""

import gc
import io
import os
import shutil
import stat
import struct
import subprocess
import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from cardiotrace.core.errors import InputError
from cardiotrace.io.dicom import archive
from cardiotrace.io.dicom.files import find_files, holds_dicom
from cardiotrace.io.dicom.study import find_studies
from tests.fake.ultrasound import pixels, ultrasound, write


def content(tmp_path, **elements):
    """An object as bytes."""
    return write(tmp_path / "made", ultrasound(**elements)).read_bytes()


def names(found):
    return [file.name for file in found.files]


def test_a_folder_is_looked_through_without_suffixes(tmp_path):
    write(tmp_path / "in" / "A" / "B" / "IM10", ultrasound())
    write(tmp_path / "in" / "A" / "IM2.dcm", ultrasound())
    (tmp_path / "in" / "README").write_text("not an image")
    (tmp_path / "in" / "A" / ".hidden").write_bytes(content(tmp_path))
    found = find_files(tmp_path / "in")
    assert sorted(names(found)) == ["IM10", "IM2.dcm"]
    assert [path.name for path in found.others] == ["README"]
    assert found.left_out == ()


def test_an_object_without_its_preamble(tmp_path):
    made = ultrasound(syntax=ImplicitVRLittleEndian)
    made.save_as(tmp_path / "IM1", implicit_vr=True, little_endian=True, enforce_file_format=False)
    bare = (tmp_path / "IM1").read_bytes()
    bare = bare[bare.index(b"\x08\x00\x16\x00") :]
    (tmp_path / "IM1").write_bytes(bare)
    (image,) = find_studies(tmp_path / "IM1")[0].images
    assert np.array_equal(image.read().frames[:, 0], pixels())


def test_the_same_object_twice_is_one(tmp_path):
    write(tmp_path / "IM1", ultrasound())
    (tmp_path / "IM2").write_bytes((tmp_path / "IM1").read_bytes())
    found = find_files(tmp_path)
    assert names(found) == ["IM1"]
    assert found.left_out == ("IM2: the same object as IM1",)


def test_another_object_under_the_same_identifier_is_taken_too(tmp_path):
    made = ultrasound()
    write(tmp_path / "IM1", made)
    made.Rows, made.PixelData = 20, pixels(shape=(20, 60)).tobytes()
    write(tmp_path / "IM2", made)
    assert names(find_files(tmp_path)) == ["IM1", "IM2"]


def test_a_damaged_file_stops_no_other(tmp_path):
    write(tmp_path / "IM1", ultrasound())
    (tmp_path / "IM2").write_bytes(bytes(128) + b"DICM" + b"\xff" * 300)
    found = find_files(tmp_path)
    assert "IM1" in names(found)


def zipped(path, members, **how):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **how) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def tarred(path, members, mode="w"):
    with tarfile.open(path, mode) as file:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    ("name", "mode"), [("a.zip", ""), ("a.tar", "w"), ("a.tgz", "w:gz"), ("a", "w:xz"), ("a", "w:bz2")]
)
def test_archives_are_read_where_they_lie(tmp_path, name, mode):
    data = [(f"CD/DICOM/IM{number}", content(tmp_path)) for number in (1, 2)]
    path = tarred(tmp_path / name, data, mode) if mode else zipped(tmp_path / name, data)
    before = sorted(tmp_path.iterdir())
    assert holds_dicom(path)
    (study,) = find_studies(path)
    assert [image.name for image in study.images] == ["IM1", "IM2"]
    assert np.array_equal(study.images[1].read().frames[:, 0], pixels())
    assert sorted(tmp_path.iterdir()) == before


def test_paths_that_lead_out_and_links_are_not_followed(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("../../IM1", content(tmp_path))
        file.writestr("/etc/IM2", content(tmp_path))
        file.writestr(link, "/etc/passwd")
        file.writestr("IM3", content(tmp_path))
    found = find_files(tmp_path / "a.zip")
    assert names(found) == ["a.zip:IM3"]
    assert found.left_out == (
        "IM1, IM2: its path leads out of the archive",
        "link: a link, which is not followed",
    )


def test_links_in_a_tar_are_not_followed(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        info = tarfile.TarInfo("IM1")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(info)
    found = find_files(tmp_path / "a.tar")
    assert found.files == ()
    assert found.left_out == ("IM1: a link or device, which is not followed",)


@pytest.mark.skipif(shutil.which("tar") is None, reason="no program tar")
def test_a_sparse_member_of_a_tar_is_told_and_not_misread(tmp_path):
    (tmp_path / "IM1").write_bytes(content(tmp_path))
    os.truncate(tmp_path / "IM1", 2**22)  # the rest is a hole
    subprocess.run(["tar", "-cSf", "a.tar", "IM1"], cwd=tmp_path, check=True)
    if (tmp_path / "a.tar").stat().st_size >= 2**22:
        pytest.skip("this file system keeps no holes")
    found = find_files(tmp_path / "a.tar")
    assert found.files == ()
    assert found.left_out == ("IM1: stored without its zeros, which is not read: pack it without --sparse",)


def test_a_zip_with_its_sizes_in_a_second_record_is_read(tmp_path, monkeypatch):
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("IM1", content(tmp_path))
    whole = path.read_bytes()
    at = whole.rindex(b"PK\x05\x06")
    size, start = struct.unpack("<II", whole[at + 12 : at + 20])
    second = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, start)
    where = struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1)
    last = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path.write_bytes(whole[:at] + second + where + last)
    assert names(find_files(path)) == ["large.zip:IM1"]
    monkeypatch.setattr(archive, "_TABLE_BYTES", 10)
    with pytest.raises(InputError, match="holds more than"):
        find_files(path)


def test_too_many_entries(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_ENTRIES", 20)
    path = zipped(tmp_path / "a.zip", [(f"f{number}", b"") for number in range(21)])
    with pytest.raises(InputError, match="more than 20 files"):
        find_files(path)


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBER_BYTES", 2**20)
    path = zipped(tmp_path / "a.zip", [("IM1", bytes(2**22)), ("IM2", content(tmp_path))])
    found = find_files(path)
    assert names(found) == ["a.zip:IM2"]
    assert found.left_out == ("IM1: larger than any image that is read",)


def test_a_compressed_tar_that_grows_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", 2**20)
    path = tarred(tmp_path / "a.tgz", [("IM1", bytes(2**22))], "w:gz")
    with pytest.raises(InputError, match="unpacks to more than"):
        find_files(path)


def test_an_encrypted_member(tmp_path):
    path = zipped(tmp_path / "a.zip", [("IM1", content(tmp_path))])
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert find_files(path).left_out == ("IM1: encrypted: unpack it with its password",)


def test_an_archive_in_an_archive_is_said(tmp_path):
    inner = zipped(tmp_path / "inner.zip", [("IM1", content(tmp_path))]).read_bytes()
    found = find_files(zipped(tmp_path / "a.zip", [("inner.zip", inner)]))
    assert found.left_out == ("inner.zip: an archive in an archive",)


def test_an_archive_in_a_folder(tmp_path):
    (tmp_path / "in").mkdir()
    zipped(tmp_path / "in" / "a.zip", [("IM1", content(tmp_path))])
    zipped(tmp_path / "in" / "b.zip", [("notes", b"nothing")])
    found = find_files(tmp_path / "in")
    assert names(found) == ["a.zip:IM1"]
    assert [path.name for path in found.others] == ["b.zip"]


def test_a_table_of_contents_names_what_is_missing(tmp_path):
    from pydicom.fileset import FileSet

    listing = FileSet()
    for _ in range(2):
        made = ultrasound(StudyTime="120000", StudyID="1", SeriesNumber="1", InstanceNumber="1")
        listing.add(made)
    listing.write(tmp_path / "CD")
    with warnings.catch_warnings():  # pydicom leaves its temporary folder to the garbage collector
        warnings.simplefilter("ignore", ResourceWarning)
        del listing
        gc.collect()
    listed = sorted(path for path in (tmp_path / "CD").rglob("*") if path.is_file() and path.name != "DICOMDIR")
    listed[0].unlink()
    found = find_files(tmp_path / "CD" / "DICOMDIR")
    assert len(found.files) == 1
    assert "listed in the DICOMDIR, and missing" in found.left_out[0]
    parts = listed[1].relative_to(tmp_path / "CD").parts
    assert listed[1].name.upper() == listed[1].name != listed[1].name.lower()
    for depth in range(len(parts), 0, -1):  # as some systems show the names of a CD
        shown = tmp_path.joinpath("CD", *parts[:depth])
        shown.rename(shown.with_name(shown.name.lower()))
    (file,) = find_files(tmp_path / "CD" / "DICOMDIR").files
    assert file.path.relative_to(tmp_path / "CD").parts == tuple(part.lower() for part in parts)


@pytest.mark.parametrize("kind", ["1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.1.1.88.59"])
def test_objects_that_are_no_images(tmp_path, kind):
    write(tmp_path / "IM1", ultrasound())
    write(tmp_path / "PR1", ultrasound(SOPClassUID=kind, PixelData=None))
    (study,) = find_studies(tmp_path)
    assert [image.name for image in study.images] == ["IM1"]
    assert study.left_out[0].startswith("PR1: ")
    assert "no picture of the heart" in study.left_out[0]


def test_an_object_of_private_elements_alone(tmp_path):
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset

    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.private_block(0x0029, "MAKER", create=True).add_new(1, "LO", "secret")
    made.save_as(tmp_path / "IM1")
    (study,) = find_studies(tmp_path)
    assert study.images == ()
    assert "no class of DICOM objects" in study.left_out[0]


OPEN = Path("/proc/self/fd")


class Witness:
    """Tells how many files are open when it is finalised."""

    def __init__(self):
        self.seen = []

    def __del__(self):
        self.seen.append(len(list(OPEN.iterdir())))


@pytest.mark.skipif(not OPEN.is_dir(), reason="this system does not list the open files")
@pytest.mark.parametrize(("name", "mode"), [("a.zip", ""), ("a.tar", "w"), ("a.tgz", "w:gz")])
def test_an_archive_is_closed_before_whatever_refers_to_its_members_is_finalised(tmp_path, name, mode):
    data = [("IM1", content(tmp_path))]
    path = tarred(tmp_path / name, data, mode) if mode else zipped(tmp_path / name, data)
    witness = Witness()
    seen, circle = witness.seen, [witness, find_files(path)]
    circle.append(circle)
    gc.collect()
    opened = len(list(OPEN.iterdir()))
    assert circle[1].files[0].read().Rows
    del witness, circle
    gc.collect()
    assert seen == [opened - 1]
