"""Phantom fundus photographs beside real ones: the statistics that a tracer of vessels lives on, and an image.

python -m benchmarks.fundus [--images 8] [--image out/fundus.png]
"""

import argparse
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from cardiotrace.core.catalog import Choice
from cardiotrace.core.terms import Structure
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.phantoms import fundus_image, sample_fundus

IMAGES = 8
Photograph = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Image (height, width, 3), vessels, field of view."""


def real(root: Path, count: int) -> Iterator[Photograph]:
    """Photographs of CHASE_DB1, the first observer's tracings."""
    chase = DATASETS.make(Choice("chase"), root)
    for case in chase.cases()[:: max(1, len(chase.cases()) // count)][:count]:
        yield (
            case.read_image().frames[0, 0],
            case.read_labels().mask(Structure.VESSEL)[0, 0],
            case.read_field_of_view()[0],
        )


def phantom(count: int) -> Iterator[Photograph]:
    """Phantoms of the same camera, without lesions, as the photographs are of healthy children."""
    for seed in range(count):
        made = fundus_image(sample_fundus(seed, pathology="normal"))
        yield made.image, made.vessels, made.field_of_view


def statistics(photograph: Photograph) -> dict[str, float]:
    """Area, widths, contrast and colours of one photograph."""
    image, vessels, inside = photograph
    core = ndimage.binary_erosion(inside, iterations=12)
    grey = image.astype(np.float32)
    green = grey[..., 1]
    # Width of the largest disc that fits, along the middle lines: the traced vessel's own, whoever traced it.
    depth = ndimage.distance_transform_edt(vessels)
    ridge = (depth >= ndimage.maximum_filter(depth, 3)) & (depth > 1)
    widths = 2 * depth[ridge] - 1
    ring = ndimage.binary_dilation(vessels, iterations=9) & ~ndimage.binary_dilation(vessels, iterations=3) & core
    wide = vessels & core & (ndimage.maximum_filter(depth, 9) >= 4)
    fine = vessels & core & (ndimage.maximum_filter(depth, 9) < 3)
    weight = np.maximum(ndimage.uniform_filter(ring.astype(np.float32), 31), 1e-6)
    around = np.maximum(ndimage.uniform_filter(np.where(ring, green, 0), 31) / weight, 1.0)
    tissue = core & ~ndimage.binary_dilation(vessels, iterations=4)
    bands = [ndimage.gaussian_filter(green, size) for size in (0, 2, 8, 32)]
    row = {
        "vessel area, % of field": 100 * vessels[inside].mean(),
        **{f"width p{share}, px": float(np.percentile(widths, share)) for share in (25, 50, 75, 90, 99)},
        "contrast of wide vessels, green %": 100 * float(np.median(1 - green[wide] / around[wide])),
        "contrast of fine vessels, green %": 100 * float(np.median(1 - green[fine] / around[fine])),
    }
    for channel, name in enumerate(("red", "green", "blue")):
        row[f"{name} mean"] = float(grey[..., channel][core & ~vessels].mean())
        row[f"{name} spread"] = float(grey[..., channel][core & ~vessels].std())
    for low, high, name in ((0, 1, "below 2 px"), (1, 2, "2 to 8 px"), (2, 3, "8 to 32 px")):
        row[f"texture {name}, green"] = float((bands[low] - bands[high])[tissue].std())
    return row


def run(out: Path | None = None, count: int = IMAGES) -> list[dict[str, Any]]:
    """Means and standard deviations over photographs, phantom and real; an image of both where `out` says."""
    data = Path(os.environ.get("CARDIOTRACE_DATA", Path(__file__).resolve().parents[1] / "../shared/data"))
    photographs = {"phantom": list(phantom(count))}
    if (data / "chase_db1").is_dir():
        photographs["real"] = list(real(data / "chase_db1", count))
    if out is not None:
        _show(photographs, out)
    table = {kind: [statistics(photograph) for photograph in made] for kind, made in photographs.items()}
    rows = []
    for name in table["phantom"][0]:
        cells = {kind: np.array([row[name] for row in made]) for kind, made in table.items()}
        shown = {kind: f"{kind} {values.mean():.1f} ± {values.std():.1f}" for kind, values in cells.items()}
        rows.append(
            {
                "name": name,
                "value": float(cells["phantom"].mean()),
                "unit": f"± {cells['phantom'].std():.1f}",
                "ratio": None if "real" not in cells else float(cells["phantom"].mean() / cells["real"].mean()),
                "versus": shown.get("real", ""),
            }
        )
    return rows


def _show(photographs: Mapping[str, list[Photograph]], out: Path) -> None:
    """Real photographs above, phantoms below."""
    from PIL import Image

    kinds = [kind for kind in ("real", "phantom") if kind in photographs]
    rows = [np.hstack([image[::2, ::2] for image, _, _ in photographs[kind][:4]]) for kind in kinds]
    Image.fromarray(np.vstack(rows)).save(out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=IMAGES, help="real ones, and phantoms")
    parser.add_argument("--image", type=Path, help="where to show four of each")
    options = parser.parse_args()
    for line in run(options.image, options.images):
        print(f"{line['name']:<36} phantom {line['value']:>6.1f} {line['unit']:<8} {line['versus']}")
