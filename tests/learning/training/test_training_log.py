import errno
import os

import pytest

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.learning.training.training_log import TrainingLog


def test_rows_come_back_in_order(tmp_path):
    log = TrainingLog(tmp_path / "journal.jsonl")
    assert log.rows() == []
    rows = [{"epoch": 1, "score": 0.5, "dice": {"LV": 0.1}}, {"epoch": 2, "score": 0.25}]
    for row in rows:
        log.add(row)
    assert log.rows() == rows


def test_line_cut_by_a_crash_is_left_out_and_written_again(tmp_path):
    log = TrainingLog(tmp_path / "journal.jsonl")
    log.add({"epoch": 1, "score": 0.5})
    log.add({"epoch": 2, "score": 0.5})
    log.path.write_bytes(log.path.read_bytes()[:-4])
    assert log.rows() == [{"epoch": 1, "score": 0.5}]
    log.cut(1)
    log.add({"epoch": 2, "score": 0.7})
    assert log.rows() == [{"epoch": 1, "score": 0.5}, {"epoch": 2, "score": 0.7}]


def test_cut_forgets_later_epochs(tmp_path):
    log = TrainingLog(tmp_path / "journal.jsonl")
    for epoch in (1, 2, 3):
        log.add({"epoch": epoch, "score": 0.5})
    log.cut(2)
    assert [row["epoch"] for row in log.rows()] == [1, 2]
    log.cut(0)
    assert log.rows() == []


def test_a_disk_that_fills_at_the_journal_leaves_it_as_it_was(tmp_path, monkeypatch):
    log = TrainingLog(tmp_path / "journal.jsonl")
    log.add({"epoch": 1, "score": 0.5})

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(WorkError, match="the disk is full") as caught:
            log.add({"epoch": 2, "score": 0.6})
    assert caught.value.where == str(log.path)
    assert log.rows() == [{"epoch": 1, "score": 0.5}]
    log.add({"epoch": 2, "score": 0.6})
    assert [row["epoch"] for row in log.rows()] == [1, 2]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"[1]", "line 2 is no row about an epoch"),
        (b'{"epoch": "2", "score": 0.5}', "line 2 is no row about an epoch"),
        (b'{"epoch": 2, "score": null}', "line 2 is no row about an epoch"),
        (b"[" * 100_000, "line 2 cannot be used: its JSON is nested too deeply"),
        (b"\xff", "line 2 is not valid JSON"),
    ],
)
def test_a_line_that_is_no_row_is_named(tmp_path, line, said):
    log = TrainingLog(tmp_path / "journal.jsonl")
    log.add({"epoch": 1, "score": 0.5})
    log.path.write_bytes(log.path.read_bytes() + line + b"\n")
    with pytest.raises(InputError, match=said):
        log.rows()
