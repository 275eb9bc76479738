"""cardiotrace models list | show | verify | join."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from cardiotrace.cli.output import complain, say
from cardiotrace.cli.terminal import Terminal, table
from cardiotrace.core.terms import View
from cardiotrace.inference.spec import spec_to_plain
from cardiotrace.inference.zoo import FOLDER_VARIABLE
from cardiotrace.report.card import model_card
from cardiotrace.workflows.models import (
    ListConfig,
    ModelConfig,
    VerifyConfig,
    list_known,
    show_model,
    verify_models,
)


@dataclass(frozen=True, kw_only=True)
class ListOptions(ListConfig):
    """List the models that can be named, or the architectures that can be trained."""

    json: bool = False
    """Print as JSON."""


def run_list(options: ListOptions) -> None:
    """Print the list."""
    rows = list_known(options)
    own = os.environ.get(FOLDER_VARIABLE)
    if own and not os.path.isdir(own):  # noqa: PTH112 pathlib raises for names that are too long
        complain(f"cardiotrace: ${FOLDER_VARIABLE} names no folder: {own}")
    if options.json:
        say(json.dumps(rows, indent=2))
    elif rows:
        table(rows, below=("licence", "summary", "source"))
    else:
        say("no model comes with this installation; $CARDIOTRACE_MODELS may name a folder of them.")


@dataclass(frozen=True, kw_only=True)
class ShowOptions(ModelConfig):
    """Print a model's card: what it is for, how it was made, how well it did."""

    json: bool = False
    """Print everything that the file says of itself, as JSON."""


def run_show(options: ShowOptions) -> None:
    """Print the card as Markdown, or the whole description as JSON."""
    path, spec = show_model(options)
    if options.json:
        say(json.dumps(spec_to_plain(spec), indent=2, ensure_ascii=False))
    else:
        say(model_card(spec, file_name=path.name), end="")


@dataclass(frozen=True, kw_only=True)
class VerifyOptions(VerifyConfig):
    """Check that model files are as they were sealed."""


def run_verify(options: VerifyOptions) -> int:
    """Verify all; status 3 if one of them is damaged."""
    status = 0
    for model in verify_models(options):
        if model.problem is not None:
            complain(f"cardiotrace: {model.problem}")
            status = model.problem.exit_status
        elif model.path is not None:
            say(f"{model.name}: sound ({model.path.name}, {model.path.stat().st_size} bytes)")
    return status


@dataclass(frozen=True)
class JoinOptions:
    """Make one model of several: their mean belief, in one file."""

    models: tuple[str, ...]
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
    default_for: tuple[View, ...] = ()
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
