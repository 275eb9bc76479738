"""Pages from templates: one environment, made once."""

import sys
from functools import cache
from importlib.resources import files
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment


def render_template(name: str, **values: Any) -> str:
    """Fill a template of this package; every value is escaped, and one that is missing is an error.

    Args:
        name: of its file, such as "page.html.jinja".
        values: what stands in it, by name.
    """
    return _environment().get_template(name).render(**values)


@cache
def _environment() -> "Environment":
    """The one environment: it keeps compiled templates, so that a page of many exams compiles its template once."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    return Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(lambda name: files("cardiotrace.report").joinpath(name).read_text("utf-8")),
        bytecode_cache=_bytecode_cache(),
    )


def _bytecode_cache() -> "BytecodeCache | None":
    """Where compiled templates are kept: beside the compiled modules of this package, if Python may write those.

    Compiling the page takes a third of a second, as long as drawing it. Each is kept with a digest of its template.
    """
    from jinja2 import FileSystemBytecodeCache
    from jinja2.bccache import Bucket

    class Beside(FileSystemBytecodeCache):
        def dump_bytecode(self, bucket: Bucket) -> None:
            try:
                super().dump_bytecode(bucket)
            except OSError:
                return  # a folder that may only be read, or is full: the next process compiles again

    folder = Path(cache_from_source(__file__)).parent
    return None if sys.dont_write_bytecode or not folder.is_dir() else Beside(str(folder), "%s.jinja-cache")
