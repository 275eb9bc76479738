"""All exams of one folder of results together: a table and a page."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from cardiotrace.core.contract import SUMMARY
from cardiotrace.core.errors import CardioTraceError, InputError
from cardiotrace.io import write_text
from cardiotrace.io.results import REPORT_PAGE, THUMBNAIL, read_manifest, refuse_changed, staged_results
from cardiotrace.report.cohort import CohortRow, cohort_csv, cohort_page
from cardiotrace.workflows.services.batch import BatchResult
from cardiotrace.workflows.services.record import Record, read_record

PAGE, TABLE = "index.html", "summary.csv"

Result = TypeVar("Result")


def with_summary(batch: BatchResult[Result], out: Path, *, overwrite: bool = False) -> BatchResult[Result]:
    """Renew table and page of a folder of results after a run, where it holds several exams.

    Args:
        batch: what the run did.
        out: the folder, with the exams of earlier runs as well.
        overwrite: replace them also where they were changed by hand.

    Returns:
        The batch with the page, or why there is none.
    """
    failed = {failure.name: str(failure.error) for failure in batch.failures}
    done = {str(getattr(result, "name", "")) for result in batch.done}
    try:
        return replace(batch, summary=write_summary(out, failed, done, overwrite=overwrite))
    except CardioTraceError as error:
        return replace(batch, summary_error=error)


def write_summary(out: Path, failed: Mapping[str, str], done: set[str], *, overwrite: bool = False) -> Path | None:
    """Write `summary.csv` and `index.html` over all exams of a folder of results.

    Args:
        out: the folder.
        failed: why exams of the latest run could not be done, by name; those of earlier runs are remembered.
        done: names of exams that the latest run did.
        overwrite: replace the files also where they were changed by hand.

    Returns:
        The page; None where there is but one exam or none was ever done.

    Raises:
        UsageError: the files were changed by hand, or are not this program's.
        WorkError: they cannot be written.
    """
    manifest = read_manifest(out)
    earlier = SUMMARY.read(manifest.made, where=out).get("failed")
    known = {name: str(why) for name, why in earlier.items()} if isinstance(earlier, dict) else {}
    failed = {name: why for name, why in known.items() if name not in done} | dict(failed)
    records = _records(out)
    if not records or len({*records, *failed}) < 2:
        return None
    if not overwrite:
        refuse_changed(out, manifest, lambda name: name in (PAGE, TABLE))
    rows = [_row(name, out, records.get(name), failed.get(name, "")) for name in sorted({*records, *failed})]
    with staged_results(out, overwrite=overwrite, keeps=lambda name: True, inside=True) as staging:
        write_text(staging.folder / TABLE, cohort_csv(rows))
        write_text(staging.folder / PAGE, cohort_page(rows, out.resolve().name))
        staging.made.update(manifest.made, **SUMMARY.mark, failed=failed)
    return out / PAGE


def _records(out: Path) -> dict[str, Record]:
    """What lies in the folder, by name of the exam; what a killed run left incomplete is none."""
    records = {}
    for folder in sorted(out.iterdir()) if out.is_dir() else ():
        if folder.name.startswith(".") or not (folder / REPORT_PAGE).is_file():
            continue
        manifest = read_manifest(folder)
        if manifest.files and not manifest.is_complete:
            continue
        try:
            records[folder.name] = read_record(folder)
        except InputError:
            continue
    return records


def _row(name: str, out: Path, record: Record | None, reason: str) -> CohortRow:
    if record is None:
        return CohortRow(name, reason=reason)
    provenance = record.provenance
    models, images = _listed(provenance, "models"), _listed(provenance, "images")
    thumbnail = out / name / THUMBNAIL
    return CohortRow(
        name,
        measures=record.measures,
        reason=reason,
        model=", ".join(str(model.get("name", "")) for model in models),
        pixel_size=", ".join(dict.fromkeys(str(image.get("pixel_size", "")) for image in images)),
        report=f"{name}/{REPORT_PAGE}",
        thumbnail=thumbnail.read_bytes() if thumbnail.is_file() else b"",
    )


def _listed(plain: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = plain.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
