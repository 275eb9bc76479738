"""The architectures that a recipe can name."""

from torch import nn

from cardiotrace.core.catalog import Catalog, Entry
from cardiotrace.learning.models import unet, wnet

ARCHITECTURES: Catalog[nn.Module] = Catalog(
    "architecture",
    [
        Entry(
            "unet1",
            unet.UNet1Config,
            unet.unet1,
            "U-Net 1 of the CAMUS paper: 2.0 million parameters, fast.",
            "Leclerc et al. 2019, IEEE TMI 38:2198",
        ),
        Entry(
            "unet2",
            unet.UNet2Config,
            unet.unet2,
            "U-Net 2 of the CAMUS paper: 17.5 million parameters, batch norm.",
            "Leclerc et al. 2019, IEEE TMI 38:2198",
        ),
        Entry(
            "unet-original",
            unet.UNetOriginalConfig,
            unet.unet_original,
            "The first U-Net: 31 million parameters.",
            "Ronneberger et al. 2015, MICCAI, arXiv:1505.04597",
        ),
        Entry(
            "unet",
            unet.UNetConfig,
            unet.unet,
            "A U-Net of any depth and width; the defaults follow nnU-Net.",
            "Isensee et al. 2021, Nature Methods 18:203",
        ),
        Entry(
            "wnet",
            wnet.WNetConfig,
            wnet.wnet,
            "Two small U-Nets in a row for thin structures: 60 thousand parameters.",
            "Galdran et al. 2022, Sci Rep 12:6174",
        ),
    ],
)
"""`make(config, channels, classes)` returns a module with an attribute `divisor`: int.

Its forward maps images (batch, channels, height, width), both sides multiples of `divisor`, to logits
(batch, classes, height, width). In training mode it may give further outputs, see `outputs`.
"""
