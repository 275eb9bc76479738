"""Names that go: they answer for a while, and say what to write instead."""

import warnings


def warn_renamed(before: str, now: str, *, gone: str, depth: int = 2) -> None:
    """Tell whoever wrote the calling line that a name was changed.

    Args:
        before: the name as it was written.
        now: what to write instead.
        gone: the version of CardioTrace that no longer knows `before`.
        depth: how many calls above this one the line stands; 2 is the caller of the function that calls this one.

    Example:
        >>> import warnings
        >>> with warnings.catch_warnings(record=True) as told:
        ...     warnings.simplefilter("always")
        ...     warn_renamed("rate", "learning_rate", gone="0.3")
        >>> str(told[0].message)
        "'rate' is called 'learning_rate' now, and will be unknown from CardioTrace 0.3 on"
    """
    told = f"{before!r} is called {now!r} now, and will be unknown from CardioTrace {gone} on"
    warnings.warn(told, DeprecationWarning, stacklevel=depth + 1)
