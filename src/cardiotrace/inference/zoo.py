"""Find a model by name: among the files that come with the package, and in the user's own folder."""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cardiotrace.core.config import brief
from cardiotrace.core.errors import InputError, NoModelError
from cardiotrace.core.file import require_regular_file
from cardiotrace.core.terms import Modality, View, view_name
from cardiotrace.inference.model_file import Model, read_model, read_spec
from cardiotrace.inference.spec import ModelSpec, fits_modality

FOLDER_VARIABLE = "CARDIOTRACE_MODELS"
"""Environment variable that names the user's own folder of model files."""

SUFFIX = ".onnx"


@dataclass(frozen=True)
class ListedModel:
    """One model file that can be named: its description, or why it cannot be used."""

    name: str
    path: Path
    spec: ModelSpec | None
    problem: str = ""


def model_folders() -> tuple[Path, ...]:
    """Folders that are searched, the user's own first."""
    shipped = Path(__file__).parents[1] / "zoo"
    own = os.environ.get(FOLDER_VARIABLE, "")
    return (Path(own), shipped) if own else (shipped,)


def list_models() -> tuple[ListedModel, ...]:
    """All models that can be named, in order of name; a file in the user's folder hides a shipped one of its name."""
    paths: dict[str, Path] = {}
    for folder in reversed(model_folders()):
        found = (path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))
        paths |= {path.name.removesuffix(SUFFIX): path for path in found}
    return tuple(_list_one(name, paths[name]) for name in sorted(paths))


def find_model(name_or_path: str | Path) -> Path:
    """Path of a model file given by path or by name.

    Raises:
        InputError: there is neither such a file nor such a name.
    """
    given = Path(name_or_path)
    named = given.name == str(name_or_path)
    places = [folder / f"{given.name.removesuffix(SUFFIX)}{SUFFIX}" for folder in model_folders()] if named else []
    # Not pathlib's: it raises for names that are too long.
    files = [path for path in (given, *places) if os.path.isfile(path)]  # noqa: PTH113
    others = [path for path in (given, *places) if os.path.lexists(path)]
    if files:
        return files[0]
    if others:
        require_regular_file(others[0])  # says what else it is
    raise InputError(f"there is no model {brief(str(name_or_path))}", remedy=_what_there_is())


def load_model(name_or_path: str | Path) -> Model:
    """Read and verify a model given by path or by name.

    Raises:
        InputError: there is no such model.
        ModelFileError: the file is damaged or of another format version.
    """
    return read_model(find_model(name_or_path))


def default_model(view: View, modality: Modality = Modality.UNKNOWN) -> Path:
    """The model used for a view of a modality where none is named.

    One that declares itself the default for the view comes before one that was merely trained on it; beyond that,
    the first by name.

    Raises:
        NoModelError: no model was trained on the view.
    """
    trained = {
        listed.path: listed.spec
        for listed in list_models()
        if listed.spec is not None and view in listed.spec.views and fits_modality(listed.spec, modality)
    }
    if not trained and view is View.UNKNOWN:
        raise NoModelError(
            "which view of the heart it shows is not known, and without it no model is chosen",
            remedy=f"say it with --view, such as --view {View.SAX}, or name a model with --model.",
        )
    if not trained:
        raise NoModelError(
            f"there is no model for view {view_name(view, modality)}{_made_as(modality)}",
            remedy=f"name one with --model. {_what_there_is(modality)}",
        )
    return next((path for path, spec in trained.items() if view in spec.default_for), next(iter(trained)))


def _list_one(name: str, path: Path) -> ListedModel:
    try:
        found = path.stat()
    except OSError:
        return _read_one(name, path, ())
    return _read_one(name, path, (found.st_mtime_ns, found.st_size))


@lru_cache(maxsize=256)
def _read_one(name: str, path: Path, state: tuple[int, ...]) -> ListedModel:
    """A model file in one state: each image of an exam asks for its model, and the descriptions of all are read."""
    try:
        return ListedModel(name, path, read_spec(path))
    except InputError as error:
        return ListedModel(name, path, None, error.what)
    except Exception as error:  # a file that nobody foresaw must not take the others away
        return ListedModel(name, path, None, f"cannot be read: {type(error).__name__}")


def _made_as(modality: Modality) -> str:
    """Says which 4CH is meant: that of echo has models where that of MRI has none."""
    return "" if modality is Modality.UNKNOWN else f" {modality}"


def _what_there_is(modality: Modality = Modality.UNKNOWN) -> str:
    """The models by name, of a known modality those that analyse images of it, if there are any."""
    listed_models = list_models()
    fitting = [
        listed
        for listed in listed_models
        if listed.spec is not None and listed.spec.views and fits_modality(listed.spec, modality)
    ]
    shown = fitting if fitting and modality is not Modality.UNKNOWN else listed_models
    names = [listed.name for listed in shown]
    there = f"models by name: {', '.join(names)}." if names else "no model comes with this installation."
    return f"{there} A path to a {SUFFIX} file works too, and ${FOLDER_VARIABLE} may name a folder of them."
