"""Post-processing steps that lie in a file of their own."""

from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.plain import read_toml
from cardiotrace.postprocessing import Postprocessing


def read_postprocessing(path: Path) -> Postprocessing:
    """The steps that `choose_postprocessing` wrote, or that stand in a recipe.

    Raises:
        InputError: the file cannot be read or holds no steps.
        ConfigError: an unknown step or option.
    """
    plain = read_toml(path)
    if "postprocessing" not in plain:
        raise InputError("holds no post-processing", where=path, remedy="write it with `cardiotrace postprocess`.")
    return Postprocessing.__from_plain__(plain["postprocessing"], "postprocessing")
