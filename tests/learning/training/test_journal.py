from cardiotrace.learning.training.journal import Journal


def test_rows_come_back_in_order(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    assert journal.rows() == []
    rows = [{"epoch": 1, "loss": 0.5, "dice": {"LV": 0.1}}, {"epoch": 2, "loss": 0.25}]
    for row in rows:
        journal.add(row)
    assert journal.rows() == rows


def test_line_cut_by_a_crash_is_left_out_and_written_again(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add({"epoch": 1})
    journal.add({"epoch": 2})
    journal.path.write_bytes(journal.path.read_bytes()[:-4])
    assert journal.rows() == [{"epoch": 1}]
    journal.cut(1)
    journal.add({"epoch": 2, "again": True})
    assert journal.rows() == [{"epoch": 1}, {"epoch": 2, "again": True}]


def test_cut_forgets_later_epochs(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    for epoch in (1, 2, 3):
        journal.add({"epoch": epoch})
    journal.cut(2)
    assert [row["epoch"] for row in journal.rows()] == [1, 2]
    journal.cut(0)
    assert journal.rows() == []
