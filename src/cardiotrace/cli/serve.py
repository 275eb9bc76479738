"""cardiotrace serve."""

from dataclasses import dataclass

from cardiotrace.cli.output import say
from cardiotrace.core.errors import UsageError
from cardiotrace.core.loading import loading
from cardiotrace.server.settings import ServeConfig


@dataclass(frozen=True, kw_only=True)
class ServeOptions(ServeConfig):
    """The application in the browser: exams in, contours to correct, numbers that follow, a report out.

    Prints the address that opens it. It works on this machine alone, and sends nothing anywhere.
    """


def run(options: ServeOptions) -> None:
    """Serve until Ctrl-C; back up or restore where that is asked for."""
    try:
        with loading():
            from cardiotrace.server.run import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "cardiotrace":
            raise
        raise UsageError(
            f"`serve` needs {error.name}, which comes with an extra", remedy="pip install 'cardiotrace[server]'"
        ) from error
    serve(options, lambda text: say(text, flush=True))
