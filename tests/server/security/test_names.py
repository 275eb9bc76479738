"""Names that come from outside stay where they are put."""

from pathlib import PurePosixPath

from hypothesis import example, given
from hypothesis import strategies as st

from cardiotrace.server.security.names import DEEPEST, LONGEST, harmless, told_apart


@given(st.text(max_size=300))
@example("../" * 40 + "etc/passwd")
@example("C:\\..\\..\\x")
@example("\ud800/\x00/‮gpj.exe")
@example("a" * 500 + ".nii.gz")
@example("NUL.dcm")
def test_every_name_lies_within(name):
    found = harmless(name)
    assert not found.is_absolute()
    assert not {"..", ".", ""} & set(found.parts)
    assert 1 <= len(found.parts) <= DEEPEST
    for part in found.parts:
        assert len(part.encode()) <= LONGEST
        assert not set(part) & set('\\:<>"|?*\0\n')
    assert harmless(str(found)) == found


def test_a_long_name_keeps_what_says_its_kind():
    assert harmless("a" * 500 + ".nii.gz").name.endswith("a.nii.gz")


def test_equal_names_are_told_apart_also_by_case():
    taken = set()
    names = [told_apart(PurePosixPath(name), taken) for name in ("a/ED.nii.gz", "a/ed.nii.gz", "a/ED.nii.gz", "b")]
    assert list(map(str, names)) == ["a/ED.nii.gz", "a/ed-2.nii.gz", "a/ED-3.nii.gz", "b"]
