"""What the tests of `cardiotrace.datasets` share."""

from pathlib import Path

import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.datasets.catalog import DATASETS


@pytest.fixture
def make():
    """A data set from the catalog by name, root and options, as a recipe makes it."""

    def make(name: str, root: Path, **options):
        return DATASETS.make(Choice(name, options), root)

    return make
