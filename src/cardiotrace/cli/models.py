"""cardiotrace models list | show | verify | join."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from cardiotrace.cli.output import complain, say
from cardiotrace.cli.terminal import Terminal, table
from cardiotrace.cli.words import ViewWord
from cardiotrace.core.errors import InputError
from cardiotrace.inference.model_file import read_spec, verify
from cardiotrace.inference.spec import spec_to_plain, view_names
from cardiotrace.inference.zoo import FOLDER_VARIABLE, find_model, list_models
from cardiotrace.report.card import model_card


@dataclass(frozen=True)
class ListOptions:
    """List the models that can be named, or the architectures that can be trained."""

    architectures: bool = False
    """List architectures instead: name, parameters, source (needs the `train` extra)."""
    json: bool = False
    """Print as JSON."""


def run_list(options: ListOptions) -> None:
    """Print the list."""
    rows = _architectures() if options.architectures else _models()
    own = os.environ.get(FOLDER_VARIABLE)
    if own and not os.path.isdir(own):  # noqa: PTH112 pathlib raises for names that are too long
        complain(f"cardiotrace: ${FOLDER_VARIABLE} names no folder: {own}")
    if options.json:
        say(json.dumps(rows, indent=2))
    elif rows:
        table(rows, below=("licence", "summary", "source"))
    else:
        say("no model comes with this installation; $CARDIOTRACE_MODELS may name a folder of them.")


def _models() -> list[dict[str, Any]]:
    return [
        {
            "model": listed.name,
            "views": "" if listed.spec is None else view_names(listed.spec),
            "structures": "" if listed.spec is None else ", ".join(listed.spec.scheme.values),
            "MB": None if listed.spec is None else round(listed.path.stat().st_size / 1e6, 1),
            "licence": "" if listed.spec is None else listed.spec.licence,
            "summary": listed.problem if listed.spec is None else listed.spec.summary,
        }
        for listed in list_models()
    ]


def _architectures() -> list[dict[str, Any]]:
    from cardiotrace.learning.models.describe import describe_architectures

    return describe_architectures()


@dataclass(frozen=True)
class ShowOptions:
    """Print a model's card: what it is for, how it was made, how well it did."""

    model: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="MODEL")]]
    """Name or path of a model."""
    json: bool = False
    """Print everything that the file says of itself, as JSON."""


def run_show(options: ShowOptions) -> None:
    """Print the card as Markdown, or the whole description as JSON."""
    path = find_model(options.model)
    spec = read_spec(path)
    if options.json:
        say(json.dumps(spec_to_plain(spec), indent=2, ensure_ascii=False))
    else:
        say(model_card(spec, file_name=path.name), end="")


@dataclass(frozen=True)
class VerifyOptions:
    """Check that model files are as they were sealed."""

    models: tyro.conf.Positional[Annotated[tuple[str, ...], tyro.conf.arg(metavar="MODEL...")]] = ()
    """Names or paths; none verifies all that can be named."""


def run_verify(options: VerifyOptions) -> int:
    """Verify all; status 3 if one of them is damaged."""
    status = 0
    for name in options.models or [listed.name for listed in list_models()]:
        try:
            path = find_model(name)
            say(f"{verify(path).name}: sound ({path.name}, {path.stat().st_size} bytes)")
        except InputError as error:
            complain(f"cardiotrace: {error}")
            status = error.exit_status
    return status


@dataclass(frozen=True)
class JoinOptions:
    """Make one model of several: their mean belief, in one file."""

    models: tyro.conf.Positional[Annotated[tuple[str, ...], tyro.conf.arg(metavar="MODEL...")]]
    """Names or paths of at least two models that prepare images alike."""
    name: str = "ensemble"
    """Of the new model."""
    data: Path | None = None
    """Folder of the first model's data set: score on the validation part of its split, which no other may have seen."""
    tested: Path | None = None
    """Or take the scores of a cross-validation whose folds these models are: its testing.json."""
    out: Path | None = None
    """Where it goes; default: NAME.onnx here."""
    summary: str = ""
    """One line about it; default: its members."""
    default_for: tuple[ViewWord, ...] = ()
    """Views for which it is to be preferred over other models."""


def run_join(options: JoinOptions) -> None:
    """Join, score, write."""
    from cardiotrace.workflows.join import JoinConfig, join_models

    out = options.out or Path(f"{options.name}.onnx")
    config = JoinConfig(
        members=options.models,
        name=options.name,
        out=out,
        summary=options.summary,
        data=options.data,
        tested=options.tested,
        default_for=options.default_for,
    )
    with Terminal() as terminal:
        spec = join_models(config, terminal)
    say(model_card(spec, file_name=out.name), end="")
