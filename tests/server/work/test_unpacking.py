"""Archives within bounds: nothing leads out, nothing grows without end, what is not taken is named."""

import io
import zipfile

import pytest

from cardiotrace.server.work.unpacking import Bounds, TooMuchError, Unpacking


def archive(path, *members, packed=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", packed) as file:
        for info, content in members:
            file.writestr(info, content)
    return path


def unpack(tmp_path, file, bounds=None, name="exam.zip"):
    (tmp_path / "tree").mkdir()
    unpacking = Unpacking(tmp_path / "tree", bounds or Bounds())
    unpacking.add(file, name)
    found = {
        path.relative_to(tmp_path / "tree").as_posix() for path in (tmp_path / "tree").rglob("*") if path.is_file()
    }
    return found, unpacking.left_out


def test_members_come_out_under_harmless_names(tmp_path):
    file = archive(tmp_path / "z", ("../../evil.nii", b"1"), ("/abs.nii", b"2"), ("a/b.nii", b"3"), ("C:\\c.nii", b"4"))
    found, left_out = unpack(tmp_path, file)
    assert found == {"exam/evil.nii", "exam/abs.nii", "exam/a/b.nii", "exam/C_/c.nii"}
    assert left_out == []
    assert not (tmp_path.parent / "evil.nii").exists()


def test_names_that_are_one_do_not_replace_each_other(tmp_path):
    file = archive(tmp_path / "z", ("a.nii", b"1"), ("../a.nii", b"2"), ("A.nii", b"3"), ("a.nii/b", b"4"))
    found, _ = unpack(tmp_path, file)
    assert len(found) == 4


def test_archives_within_links_and_encrypted_members_are_named(tmp_path):
    link = zipfile.ZipInfo("link.nii")
    link.external_attr = 0o120777 << 16
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("x", b"x")
    file = archive(tmp_path / "z", (link, b"/etc/passwd"), ("inner.zip", inner.getvalue()), ("good.nii", b"1"))
    found, left_out = unpack(tmp_path, file)
    assert found == {"exam/good.nii"}
    assert [line.partition(": ")[0] for line in left_out] == ["exam.zip/link.nii", "exam.zip/inner.zip"]


@pytest.mark.parametrize(
    ("bounds", "what"),
    [
        (Bounds(byte_count=10**6), "when unpacked"),
        (Bounds(files=2), "more than 2 files"),
        (Bounds(ratio=10.0), "grows more than"),
        (Bounds(seconds=-1.0), "takes longer"),
    ],
)
def test_bombs_are_not_taken(tmp_path, bounds, what):
    members = [(f"{number}.nii", bytes(80 * 2**20 // 4)) for number in range(4)]
    with pytest.raises(TooMuchError, match=what):
        unpack(tmp_path, archive(tmp_path / "z", *members), bounds)


def test_a_damaged_archive_is_named(tmp_path):
    file = archive(tmp_path / "z", ("a.nii", b"1" * 5000), packed=zipfile.ZIP_STORED)
    content = bytearray(file.read_bytes())
    content[1000:1010] = b"0123456789"
    file.write_bytes(content)
    found, left_out = unpack(tmp_path, file)
    assert found == set()
    assert "cannot be unpacked" in left_out[0]
    (tmp_path / "other").mkdir()
    file.write_bytes(b"PK\x03\x04 and no more")
    assert "damaged archive" in unpack(tmp_path / "other", file)[1][0]


def test_what_only_ends_like_an_archive_is_a_file(tmp_path):
    file = tmp_path / "z"
    file.write_bytes(b"no archive")
    assert unpack(tmp_path, file)[0] == {"exam.zip"}
    assert file.exists(), "who has to begin again finds it"
