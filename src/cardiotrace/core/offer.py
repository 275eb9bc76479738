"""What other packages offer to be chosen by name, found through their entry points and imported only when chosen."""

import logging
from collections.abc import Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cardiotrace.core.errors import ConfigError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Offered = TypeVar("Offered")

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Offer:
    """A name that another package offers."""

    name: str
    package: str
    point: "EntryPoint"

    def load(self, kind: str, wanted: type[Offered]) -> Offered:
        """Import it.

        Args:
            kind: what it is, for messages.
            wanted: what it must be an instance of, and be called `name`.

        Raises:
            ConfigError: the package cannot be imported, or offers something else.
        """
        what = f"the {kind} {self.name!r} of the package {self.package} cannot be used"
        remedy = f"update {self.package}, or remove it."
        try:
            found: Any = self.point.load()
        except Exception as error:  # whatever the code of others raises
            raise ConfigError(f"{what}: {type(error).__name__}: {error}", remedy=remedy) from error
        if not isinstance(found, wanted):
            raise ConfigError(f"{what}: {self.point.value} is no {wanted.__name__}", remedy=remedy)
        if getattr(found, "name", self.name) != self.name:
            raise ConfigError(f"{what}: it calls itself {getattr(found, 'name', '')!r}", remedy=remedy)
        return found


def offers_of(group: str, kind: str, *, own: Container[str]) -> dict[str, dict[str, Offer]]:
    """What installed packages offer: by name, then by package.

    A name of CardioTrace's own always means its own, for a recipe must not change its meaning because something was
    installed; the log tells what is left out.

    Args:
        group: of entry points, such as "cardiotrace.losses".
        kind: what they are, for messages.
        own: names that cannot be offered.
    """
    from importlib.metadata import entry_points  # not at start-up, where nobody asks

    offers: dict[str, dict[str, Offer]] = {}
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        package = "" if point.dist is None else point.dist.name
        if point.name in own:
            _LOG.warning("%s offers a %s %r, which CardioTrace has itself: left out", package, kind, point.name)
        else:
            offers.setdefault(point.name, {})[package] = Offer(point.name, package, point)
    return offers
