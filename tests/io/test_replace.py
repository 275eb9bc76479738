"""What people made is never written over by a file that the command line names."""

import pytest

from cardiotrace.core.errors import UsageError, WorkError
from cardiotrace.core.file import require_replaceable
from cardiotrace.io import write_new_text

PAGE = {"begins": ("# Comparison",), "what": "comparison"}


def test_a_file_of_the_same_kind_may_be_replaced_and_no_other(tmp_path):
    require_replaceable(tmp_path / "new.md", **PAGE)
    (tmp_path / "old.md").write_text("# Comparison\n\n- a")
    require_replaceable(tmp_path / "old.md", **PAGE)
    for name, content in (("mine.md", b"# Notes"), ("empty", b""), ("labels.nii.gz", b"\x1f\x8b\xff")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match="is there already, and is no comparison"):
            require_replaceable(tmp_path / name, **PAGE)
    with pytest.raises(UsageError, match="is there already"):
        require_replaceable(tmp_path, **PAGE)
    with pytest.raises(WorkError, match="its folder does not exist"):
        require_replaceable(tmp_path / "none" / "x.md", **PAGE)


def test_a_text_is_written_once_and_again_only_if_it_is_the_same(tmp_path):
    path = tmp_path / "fold1.json"
    write_new_text(path, "ä")
    write_new_text(path, "ä")
    with pytest.raises(UsageError, match="is there already, and is not replaced"):
        write_new_text(path, "b")
    assert path.read_text(encoding="utf-8") == "ä"
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        write_new_text(tmp_path / "folder", "x")
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    with pytest.raises(UsageError, match="is there already"):
        write_new_text(tmp_path / "nowhere", "x")
