"""Content is kept once, and removed with the last that refers to it."""

import pytest

from cardiotrace.server.store.blobs import BlobStore
from cardiotrace.server.store.folder import DataFolder


@pytest.fixture
def data(tmp_path):
    return DataFolder(tmp_path / "data").make()


def test_the_same_content_takes_room_once(data, tmp_path):
    blobs, files = BlobStore(data.blobs), [tmp_path / "a", tmp_path / "b"]
    for file in files:
        file.write_bytes(b"the same")
    first, second = (blobs.take(file) for file in files)
    assert first == second
    assert files[0].samefile(files[1])
    assert list(blobs) == [first.sha256]
    assert blobs.put(b"the same") == first
    assert blobs.read(first.sha256) == b"the same"
    blobs.remove(first.sha256)
    assert list(blobs) == []
    assert files[0].read_bytes() == b"the same"
    blobs.ensure(first.sha256, files[0])
    assert blobs.read(first.sha256) == b"the same"


@pytest.mark.parametrize("digest", ["../../etc/passwd", "", "A" * 64, "0" * 63])
def test_what_is_no_digest_is_no_place(data, digest):
    with pytest.raises(ValueError, match="SHA-256"):
        BlobStore(data.blobs).path(digest)


@pytest.mark.parametrize("identifier", ["..", "a/b", "", "é", "a.b"])
def test_what_is_no_identifier_is_no_place(data, identifier):
    with pytest.raises(ValueError, match="identifier"):
        data.study(identifier)


def test_results_are_exchanged_whole(data):
    folder = data.study("ab")
    for number in range(2):
        with folder.renewed() as fresh:
            (fresh / "n").write_text(str(number))
    with pytest.raises(KeyError), folder.renewed() as fresh:
        {}[(fresh / "n").write_text("half")]
    assert (folder.automatic / "n").read_text() == "1"
    assert [path.name for path in folder.root.iterdir()] == ["automatic"]


def test_an_exchange_that_was_killed_is_mended(data):
    folder = data.study("ab")
    with folder.renewed() as fresh:
        (fresh / "n").write_text("kept")
    folder.automatic.rename(folder.root / ".automatic-old-1")
    (folder.root / ".automatic-new-2").mkdir()
    folder.mend()
    assert (folder.automatic / "n").read_text() == "kept"
    assert [path.name for path in folder.root.iterdir()] == ["automatic"]


def test_the_folder_is_its_owners_and_one_servers(data):
    assert data.root.stat().st_mode & 0o777 == 0o700
    assert data.token() == data.token()
    assert data.token("given-by-somebody") == data.token()
    with data.locked(), pytest.raises(Exception, match="another server"), data.locked():
        pass
