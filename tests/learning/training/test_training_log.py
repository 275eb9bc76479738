import errno
import os

import pytest

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.learning.training.training_log import TrainingLog


def test_rows_come_back_in_order(tmp_path):
    journal = TrainingLog(tmp_path / "journal.jsonl")
    assert journal.rows() == []
    rows = [{"epoch": 1, "score": 0.5, "dice": {"LV": 0.1}}, {"epoch": 2, "score": 0.25}]
    for row in rows:
        journal.add(row)
    assert journal.rows() == rows


def test_line_cut_by_a_crash_is_left_out_and_written_again(tmp_path):
    journal = TrainingLog(tmp_path / "journal.jsonl")
    journal.add({"epoch": 1, "score": 0.5})
    journal.add({"epoch": 2, "score": 0.5})
    journal.path.write_bytes(journal.path.read_bytes()[:-4])
    assert journal.rows() == [{"epoch": 1, "score": 0.5}]
    journal.cut(1)
    journal.add({"epoch": 2, "score": 0.7})
    assert journal.rows() == [{"epoch": 1, "score": 0.5}, {"epoch": 2, "score": 0.7}]


def test_cut_forgets_later_epochs(tmp_path):
    journal = TrainingLog(tmp_path / "journal.jsonl")
    for epoch in (1, 2, 3):
        journal.add({"epoch": epoch, "score": 0.5})
    journal.cut(2)
    assert [row["epoch"] for row in journal.rows()] == [1, 2]
    journal.cut(0)
    assert journal.rows() == []


def test_a_disk_that_fills_at_the_journal_leaves_it_as_it_was(tmp_path, monkeypatch):
    journal = TrainingLog(tmp_path / "journal.jsonl")
    journal.add({"epoch": 1, "score": 0.5})

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(WorkError, match="the disk is full") as caught:
            journal.add({"epoch": 2, "score": 0.6})
    assert caught.value.where == str(journal.path)
    assert journal.rows() == [{"epoch": 1, "score": 0.5}]
    journal.add({"epoch": 2, "score": 0.6})
    assert [row["epoch"] for row in journal.rows()] == [1, 2]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"[1]", "line 2 is no row about an epoch"),
        (b'{"epoch": 2}', "line 2 is no row about an epoch"),
        (b"[" * 100_000, "line 2 cannot be used: its JSON is nested too deeply"),
        (b"\xff", "line 2 is not valid JSON"),
    ],
)
def test_a_line_that_is_no_row_is_named(tmp_path, line, said):
    journal = TrainingLog(tmp_path / "journal.jsonl")
    journal.add({"epoch": 1, "score": 0.5})
    journal.path.write_bytes(journal.path.read_bytes() + line + b"\n")
    with pytest.raises(InputError, match=said):
        journal.rows()
