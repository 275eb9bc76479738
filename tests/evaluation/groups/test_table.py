"""Tables of indices: read from files of this program and of others, and refused where they cannot be learned from."""

import pytest

from cardiotrace.clinical.groups.index import SHORT_AXIS
from cardiotrace.core.errors import InputError
from cardiotrace.evaluation.groups.table import GroupRow, GroupTable, read_group_table, same_exams


def write(path, text):
    path.write_text(text)
    return path


def test_it_comes_back(tmp_path):
    rows = (
        GroupRow("a", "p", "DCM", {"x": 0.1234567891, "y": 2.0}),
        GroupRow("b", "p", "DCM", {"y": 3.0}),
        GroupRow("c", "q", "NOR", {"x": 4.0, "y": 5.0}),
    )
    found = read_group_table(write(tmp_path / "t.csv", GroupTable(rows).to_csv("pathology")), "pathology")
    assert [(row.name, row.patient, row.group) for row in found.rows] == [
        ("a", "p", "DCM"), ("b", "p", "DCM"), ("c", "q", "NOR"),
    ]  # fmt: skip
    assert found.rows[0].values == pytest.approx({"x": 0.123456789, "y": 2.0})
    assert found.rows[1].values == {"y": 3.0}
    assert [row.name for row in found.with_all(("x",)).rows] == ["a", "c"]
    assert found.patients == {"p": {"group": "DCM"}, "q": {"group": "NOR"}}


def test_a_summary_with_a_column_for_the_group(tmp_path):
    text = "name,status,ef_percent,edv_ml,rv_edv_ml,group\na,done,55,120,130,x\nb,failed,,,,y\nc,done,31,,,\n"
    found = read_group_table(write(tmp_path / "summary.csv", text), "group")
    assert [row.name for row in found.rows] == ["a", "b"]  # c has no group
    assert found.rows[0].values == {
        "left_ventricular_ejection_fraction_percent": 55.0,
        "left_ventricular_end_diastolic_volume_ml": 120.0,
        "right_ventricular_end_diastolic_volume_ml": 130.0,
    }
    assert found.rows[1].values == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,ef\na,1\n", "has no column 'group'"),
        ("name,group,ef\na,x,1\na,x,2\n", "a stands in it twice"),
        ("name,patient,group,ef\na,p,x,1\nb,p,y,2\n", "patient p is of two groups"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(tmp_path, text, told):
    with pytest.raises(InputError, match=told):
        read_group_table(write(tmp_path / "t.csv", text), "group")


def table(**columns):
    names = "abc"
    rows = [{key: values[place] for key, values in columns.items()} for place in range(3)]
    return GroupTable(tuple(GroupRow(name, name, "g", row) for name, row in zip(names, rows, strict=True)))


def test_indices_are_those_named_else_those_of_the_short_axis_else_all():
    both = table(x=[1.0, 2.0, 3.0], **{SHORT_AXIS[0]: [4.0, 5.0, 6.0]})
    assert both.chosen_indices(()) == (SHORT_AXIS[0],)
    assert both.chosen_indices(("x",)) == ("x",)
    assert table(x=[1.0, 2.0, 3.0]).chosen_indices(()) == ("x",)
    with pytest.raises(InputError, match="has no index 'y'"):
        both.chosen_indices(("y",))
    with pytest.raises(InputError, match="x is 2 in every exam"):
        table(x=[2.0, 2.0, 2.0]).chosen_indices(("x",))
    with pytest.raises(InputError, match="no indices"):
        GroupTable((GroupRow("a", "a", "g", {}),)).chosen_indices(())


def test_another_table_must_be_of_the_same_exams():
    one, other = table(x=[1.0, 2.0, 3.0]), table(x=[4.0, 5.0, 6.0])
    assert [row.values["x"] for row in same_exams(one, other).rows] == [4.0, 5.0, 6.0]
    with pytest.raises(InputError, match="lacks c"):
        same_exams(one, GroupTable(other.rows[:2]))
    moved = GroupTable(tuple(GroupRow(row.name, row.patient, "h", row.values) for row in other.rows))
    with pytest.raises(InputError, match="another group"):
        same_exams(one, moved)
