import zipfile

import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.datasets import workbook
from cardiotrace.datasets.workbook import read_workbook, write_workbook
from tests.fake.hmc_qu import save_workbook

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def sheet(path, body, **parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", body)
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def test_what_is_written_is_read_back(tmp_path):
    rows = [["ECHO", "a & b <c>", "ü"], ["", 12, ""], []]
    write_workbook(tmp_path / "a.xlsx", rows)
    assert read_workbook(tmp_path / "a.xlsx") == [["ECHO", "a & b <c>", "ü"], ["", "12", ""], []]
    first = (tmp_path / "a.xlsx").read_bytes()
    write_workbook(tmp_path / "a.xlsx", rows)
    assert (tmp_path / "a.xlsx").read_bytes() == first


def test_cells_lie_where_they_say(tmp_path):
    save_workbook(tmp_path / "a.xlsx", [["name", None, None, 3], [None, "x"]])
    assert read_workbook(tmp_path / "a.xlsx") == [["name", "", "", "3"], ["", "x"]]
    body = f'<worksheet {MAIN}><sheetData><row><c r="AB1"><v>2.0</v></c></row></sheetData></worksheet>'
    assert read_workbook(sheet(tmp_path / "b.xlsx", body)) == [[""] * 27 + ["2"]]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<worksheet>", "cannot be read as a workbook"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "declares entities"),
        ("<a/>".encode("utf-16").decode("latin-1"), "declares entities or is no UTF-8"),
        (f'<worksheet {MAIN}><row><c r="A1" t="s"><v>7</v></c></row></worksheet>', "a cell that cannot be read"),
        (f'<worksheet {MAIN}><row><c r="ZZZ1"><v>7</v></c></row></worksheet>', "beyond the last column"),
    ],
)
def test_what_cannot_be_trusted_is_refused(tmp_path, body, message):
    with pytest.raises(InputError, match=message):
        read_workbook(sheet(tmp_path / "a.xlsx", body))


def test_a_part_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "LARGEST_WORKBOOK", 1000)
    with pytest.raises(InputError, match="is larger than"):
        read_workbook(sheet(tmp_path / "a.xlsx", " " * 50_000))


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.xlsx").write_text("name,frames\n")
    with pytest.raises(InputError, match="cannot be read as a workbook"):
        read_workbook(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as archive:
        archive.writestr("readme.txt", "no sheet")
    with pytest.raises(InputError, match="holds no sheet"):
        read_workbook(tmp_path / "b.xlsx")
