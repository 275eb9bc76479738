"""Pages from templates: one environment, made once."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


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
    )
