"""A folder stands complete, or not at all."""

import pytest

from cardiotrace.core.errors import WorkError
from cardiotrace.io.folder import staged_folder


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_nothing_stands_before_the_end(tmp_path):
    target = tmp_path / "a" / "b"
    with staged_folder(target) as folder:
        (folder / "one").write_text("1")
        assert not target.exists()
    assert content(target) == {"one": "1"}
    assert [path.name for path in target.parent.iterdir()] == ["b"]


def test_an_older_folder_is_replaced_as_a_whole(tmp_path):
    for name in ("old", "new"):
        with staged_folder(tmp_path / "p") as folder:
            (folder / name).write_text(name)
    assert content(tmp_path / "p") == {"new": "new"}


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_whatever_stops_it_leaves_the_old_and_no_trace(tmp_path, stop):
    target = tmp_path / "p"
    target.mkdir()
    (target / "old").write_text("old")

    def work():
        with staged_folder(target) as folder:
            (folder / "new").write_text("new")
            raise stop

    with pytest.raises(stop):
        work()
    assert content(target) == {"old": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


def test_parents_that_were_made_go_too_and_others_stay(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(ValueError, match="stop"), staged_folder(tmp_path / "there" / "a" / "b" / "c"):
        raise ValueError("stop")
    assert list(tmp_path.rglob("*")) == [tmp_path / "there"]


def test_a_place_below_a_file_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkError, match="is a file, not a folder"), staged_folder(tmp_path / "file" / "p"):
        pytest.fail("the block must not run")
    assert (tmp_path / "file").read_text() == ""
