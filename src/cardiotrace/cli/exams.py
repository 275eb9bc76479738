"""What the verbs on exams share: the list of exams that failed, and the exit status."""

from typing import Any

from cardiotrace.cli.output import complain
from cardiotrace.workflows.services.batch import BatchResult


def list_failures(batch: BatchResult[Any]) -> int:
    """Print what failed on standard error; returns the exit status."""
    total = len(batch.done) + len(batch.failures)
    if total == 1 and batch.failures:
        complain(f"cardiotrace: {batch.failures[0].error}")
    elif batch.failures:
        complain(f"cardiotrace: {len(batch.failures)} of {total} exams failed:")
        for failure in batch.failures:
            complain(f"  {failure.name}: {failure.error}".replace("\n", "\n    "))
    if batch.summary_error is not None:
        complain(f"cardiotrace: the summary was not renewed: {batch.summary_error}")
    return batch.exit_status
