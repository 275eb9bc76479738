"""The architectures that a recipe can name."""

from cardiotrace.core.catalog import Catalog, Choice, Entry
from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models import (
    acnn,
    attention,
    clas,
    hourglass,
    nnunet,
    recurrent,
    runet,
    shape_autoencoder,
    small,
    unet,
    unetpp,
    wnet,
)
from cardiotrace.learning.models.blocks import Axes
from cardiotrace.learning.models.network import Network, NetworkSpec

ARCHITECTURES: Catalog[Network] = Catalog(
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
            "stacked-hourglass",
            hourglass.StackedHourglassConfig,
            hourglass.stacked_hourglass,
            "Three light U-Net 1 in a row, a loss on each.",
            "Newell et al. 2016, ECCV, arXiv:1603.06937; Leclerc et al. 2019, IEEE TMI 38:2198",
        ),
        Entry(
            "unet++",
            unetpp.UNetPlusPlusConfig,
            unetpp.unet_plus_plus,
            "U-Nets of every depth in one, a loss on each.",
            "Zhou et al. 2018, DLMIA, arXiv:1807.10165; Leclerc et al. 2019, IEEE TMI 38:2198",
        ),
        Entry(
            "attention-unet",
            attention.AttentionUNetConfig,
            attention.attention_unet,
            "A U-Net whose skip connections are weighed by what coarser levels have seen.",
            "Oktay et al. 2018, MIDL, arXiv:1804.03999",
        ),
        Entry(
            "runet",
            runet.RUNetConfig,
            runet.runet,
            "RU-Net: a first U-Net 1 finds the region that a second one segments, trained together.",
            "Leclerc et al. 2019, IEEE IUS, p. 1160, doi:10.1109/ULTSYM.2019.8926158",
        ),
        Entry(
            "nnunet2d",
            nnunet.NNUNet2DConfig,
            nnunet.nnunet2d,
            "nnU-Net's plain 2D network with deep supervision; `cardiotrace plan` configures it.",
            "Isensee et al. 2021, Nature Methods 18:203",
        ),
        Entry(
            "nnunet3d",
            nnunet.NNUNet3DConfig,
            nnunet.nnunet3d,
            "nnU-Net's network of volumes at full resolution; `cardiotrace plan` configures it.",
            "Isensee et al. 2021, Nature Methods 18:203",
        ),
        Entry(
            "generic-unet",
            nnunet.GenericUNetConfig,
            nnunet.generic_unet,
            "nnU-Net's first U-Net with batch norm and deep supervision, one for each axis of the heart.",
            "Isensee et al. 2018, arXiv:1809.10486",
        ),
        Entry(
            "recurrent-unet",
            recurrent.RecurrentUNetConfig,
            recurrent.recurrent_unet,
            "A U-Net that reads the slices of a stack one after the other, either way.",
            "Poudel et al. 2016, arXiv:1608.03974",
        ),
        Entry(
            "acnn",
            acnn.ACNNConfig,
            acnn.acnn,
            "U-Net 1 that an autoencoder of label maps teaches what shapes hearts have.",
            "Oktay et al. 2018, IEEE TMI 37:384; Leclerc et al. 2019, IEEE TMI 38:2198",
        ),
        Entry(
            "clas",
            clas.CLASConfig,
            clas.clas,
            "U-Net 1 that learns the motion between end-diastole and end-systole as well as the segmentation.",
            "Wei et al. 2020, MICCAI, doi:10.1007/978-3-030-59713-9_60, as far as two frames allow",
        ),
        Entry(
            "shape-autoencoder",
            shape_autoencoder.ShapeAutoencoderConfig,
            shape_autoencoder.shape_autoencoder,
            "Label maps to few numbers and back, for a model that corrects shapes; learns from labels alone.",
            "Kingma and Welling 2014, ICLR, arXiv:1312.6114; Painchaud et al. 2020, IEEE TMI 39:3703",
        ),
        Entry(
            "unet-small",
            small.SmallUNetConfig,
            small.small_unet,
            "For real time on a CPU: less than a tenth of U-Net 1's multiply-adds.",
            "this project",
        ),
        Entry(
            "unet-small-stack",
            small.SmallStackUNetConfig,
            small.small_stack_unet,
            "unet-small for the slices of a stack, which learn of each other on its coarse levels.",
            "this project",
        ),
        Entry(
            "wnet",
            wnet.WNetConfig,
            wnet.wnet,
            "Two small U-Nets in a row for thin structures: 60 thousand parameters.",
            "Galdran et al. 2022, Sci Rep 12:6174",
        ),
    ],
    group="cardiotrace.architectures",
)
"""`make(config, spec)` returns a `Network` for what a `NetworkSpec` says of its images and classes.

Its forward maps images (batch, channels, *space), all sides multiples of `divisor`, to logits (batch, classes, *space);
space is height and width, after the depth where its configuration has `dimensions = 3`. In training it may return
`TrainingOutputs`: several logits, and features that its `auxiliary_losses` or an objective learn from.
"""


def axes_of(choice: Choice) -> Axes:
    """Axes of what a recipe's architecture sees at once: 3 where its configuration says so, else 2.

    Raises:
        ConfigError: no such architecture.

    Example:
        >>> axes_of(Choice("unet1")), axes_of(Choice("nnunet3d"))
        (2, 3)
    """
    return getattr(ARCHITECTURES.entry(choice).config, "dimensions", 2)


def make_network(choice: Choice, spec: NetworkSpec) -> Network:
    """The network of a recipe's architecture.

    Raises:
        ConfigError: no such architecture or option; or another package's is no `Network`.
    """
    network = ARCHITECTURES.make(choice, spec, path="architecture")
    if not isinstance(network, Network):
        raise ConfigError(
            f"the architecture {choice.name!r} of the package {ARCHITECTURES.entry(choice).package} is no Network",
            remedy="let its class inherit from cardiotrace.extend.Network.",
        )
    return network
