"""Every combination of a recipe's `[sweep]` with several seeds: trained, tested, compared."""

from cardiotrace.workflows.sweep.run import run_sweep

__all__ = ["run_sweep"]
