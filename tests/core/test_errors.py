from pathlib import Path

import pytest

from cardiotrace.core import errors


def test_message_says_what_where_and_what_to_do():
    error = errors.InputError("is damaged", where=Path("a/b.nii"), remedy="copy it again.")
    assert str(error) == "a/b.nii: is damaged\ncopy it again."
    assert (error.what, error.where, error.remedy) == ("is damaged", "a/b.nii", "copy it again.")


def test_message_without_a_place_or_remedy_is_one_line():
    assert str(errors.WorkError("failed")) == "failed"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.UsageError, 2),
        (errors.InputError, 3),
        (errors.ConfigError, 3),
        (errors.ModelFileError, 3),
        (errors.WorkError, 4),
    ],
)
def test_exit_status_says_who_can_mend_it(kind, status):
    assert kind("x").exit_status == status
    assert issubclass(kind, errors.CardioTraceError)
