import errno
import json
import os
import resource
import subprocess
from pathlib import Path

import pytest

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.io import atomic
from cardiotrace.io.atomic import atomic_write, write_bytes, write_json, write_text


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_replaces_old_content_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "measures.json"
    write_text(target, "old")
    write_json(target, {"volume_ml": 120.5, "name": "Müller"})
    assert json.loads(target.read_text("utf-8")) == {"volume_ml": 120.5, "name": "Müller"}
    assert target.read_bytes().endswith(b"}\n")
    assert names(tmp_path) == ["measures.json"]


def test_permissions_follow_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        write_bytes(tmp_path / "a.bin", b"1")
    finally:
        os.umask(old)
    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o640


def test_temporary_name_ends_as_the_target(tmp_path):
    seen = []
    atomic_write(tmp_path / "x_labels.nii.gz", lambda file: seen.append(file) or None)
    assert seen[0].parent == tmp_path
    assert seen[0].name.endswith(".nii.gz")
    assert seen[0].name != "x_labels.nii.gz"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InputError("bad"), ValueError("bad"), MemoryError()])
def test_any_failure_keeps_the_old_file_and_removes_the_new(tmp_path, error):
    target = tmp_path / "a.txt"
    write_text(target, "old")

    def fail(file: Path) -> None:
        file.write_text("half")
        raise error

    with pytest.raises(type(error)):
        atomic_write(target, fail)
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "permissions"), (errno.EIO, "disk")],
)
def test_errors_of_the_system_name_path_and_remedy(tmp_path, code, remedy):
    target = tmp_path / "a.txt"

    def fail(file: Path) -> None:
        raise OSError(code, os.strerror(code))

    with pytest.raises(WorkError, match=remedy) as caught:
        atomic_write(target, fail)
    assert caught.value.where == str(target)
    assert names(tmp_path) == []


def test_full_when_flushing(tmp_path, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(WorkError, match="free some space"):
        write_text(tmp_path / "a.txt", "new")
    assert names(tmp_path) == []


def test_limit_of_the_file_system(tmp_path):
    """The kernel itself refuses the write half-way through."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(WorkError, match="larger than"):
            write_bytes(tmp_path / "a.bin", bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(tmp_path) == []


def test_truly_full_disk(tmp_path):
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        write_bytes(tmp_path / "a.bin", bytes(10_000))
        with pytest.raises(WorkError, match="disk is full"):
            write_bytes(tmp_path / "a.bin", bytes(100_000))
        assert (tmp_path / "a.bin").stat().st_size == 10_000
        assert names(tmp_path) == ["a.bin"]
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "missing" / "a.txt", "does not exist"),
        (lambda folder: folder / "file" / "a.txt", "is a file, not a folder"),
        (lambda folder: folder / "folder", "folder of this name"),
        (lambda folder: folder / ("n" * 300), "shorter"),
    ],
)
def test_places_that_cannot_be_written(tmp_path, make, message):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(WorkError, match=message):
        write_text(make(tmp_path), "new")
    assert names(tmp_path) == ["file", "folder"]


def test_nan_is_not_json(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"ef": float("nan")})
    assert names(tmp_path) == []
