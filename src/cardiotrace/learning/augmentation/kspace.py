"""Changes of k-space, all of them between one Fourier transform and its inverse.

A half of k-space is enough, since images are real, and whatever is done to a line is done to its mirror image; the
magnitude is shown, as scanners do.
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor
from torch.nn import functional

from cardiotrace.learning.augmentation.grey import rows_of
from cardiotrace.learning.augmentation.histogram import is_shown
from cardiotrace.learning.augmentation.parameters import Parameters
from cardiotrace.learning.augmentation.partner import partners_of
from cardiotrace.learning.augmentation.space import affine_places

Spectra = Complex[Tensor, "rows channels height half_width"]

_NO_AMPLITUDE = 1e-12
"""Far below the rounding of any transform of grey values, and large enough that a quotient by it is finite."""


def change_kspace(
    images: Float[Tensor, "batch channels height width"],
    others: Float[Tensor, "batch channels height width"],
    parameters: Parameters,
) -> None:
    """Motion, exchange of amplitudes, ghosts, resolution and truncation, in place.

    Args:
        images: what is changed.
        others: the batch that partners are taken from, as its scanners made it.
        parameters: from `sample`.
    """
    chosen = rows_of(_is_changed(parameters))
    if len(chosen) == 0:
        return
    on_device = chosen.to(images.device)
    before = images[on_device]
    # Fourier transforms know no half precision.
    spectra = torch.fft.rfft2(before.float())
    _put_motion(spectra, before, parameters, chosen)
    _exchange_amplitudes(spectra, others, parameters, chosen)
    rows, columns = (_profile(parameters, chosen, axis, before.shape[-2 + axis]).to(spectra.device) for axis in (0, 1))
    spectra *= rows[:, None, :, None] * columns[:, None, None, : spectra.shape[-1]]
    changed = torch.fft.irfft2(spectra, s=before.shape[-2:]).abs_().clamp_(max=1)
    images.index_copy_(0, on_device, changed.to(images.dtype))


def _is_changed(parameters: Parameters) -> Tensor:
    filtered = (parameters.gibbs < 1) | (parameters.acquired_resolution < 1) | (parameters.ghosting[:, 1] > 0)
    return filtered | _is_moved(parameters) | (parameters.amplitude_exchange[:, 0] > 0)


def _is_moved(parameters: Parameters) -> Tensor:
    return (parameters.motion[:, :3] != 0).any(dim=1) & (parameters.motion[:, 3] < 1)


def _put_motion(spectra: Spectra, images: Tensor, parameters: Parameters, chosen: Tensor) -> None:
    """Outer lines of images that moved, in place."""
    rows = rows_of(_is_moved(parameters)[chosen])
    if len(rows) == 0:
        return
    motion = parameters.motion[chosen][rows]
    on_device, motion = rows.to(spectra.device), motion.to(spectra.device)
    later = torch.fft.rfft2(_moved(images[on_device], motion).float())
    height, width = images.shape[-2:]
    along = [torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]]
    distance = [frequencies.abs().to(spectra.device) for frequencies in along]
    share, axis = motion[:, 3, None, None], motion[:, 4, None, None]
    is_later = torch.where(axis == 0, distance[0], distance[1]) > 0.5 * share
    spectra[on_device] = torch.where(is_later.unsqueeze(1), later, spectra[on_device])


def _moved(images: Tensor, motion: Tensor) -> Tensor:
    """Images turned counter-clockwise about their middle and shifted."""
    height, width = images.shape[-2:]
    angle, right, down = motion[:, :3].unbind(dim=1)
    cos, sin = angle.cos(), angle.sin()
    # From the result to the image, in pixels, then in -1 to 1.
    linear = torch.stack([torch.stack([cos, -sin], dim=1), torch.stack([sin, cos], dim=1)], dim=1)
    half_side = torch.tensor([width / 2, height / 2], device=images.device)
    linear = linear * half_side / half_side[:, None]
    offset = -linear @ (2 * torch.stack([right, down], dim=1)).unsqueeze(2)
    places = affine_places(torch.cat([linear, offset], dim=2), (height, width)).permute(0, 2, 3, 1)
    return functional.grid_sample(images, places.to(images.dtype), padding_mode="border", align_corners=False)


def _exchange_amplitudes(spectra: Spectra, others: Tensor, parameters: Parameters, chosen: Tensor) -> None:
    """Low frequencies take a share of the amplitude of those of each image's partner, in place."""
    rows = rows_of(parameters.amplitude_exchange[chosen, 0] > 0)
    if len(rows) == 0:
        return
    exchange = parameters.amplitude_exchange[chosen][rows]
    reach = float(exchange[:, 1].max())
    mix, radius = (column.to(spectra.device)[:, None, None, None] for column in exchange.unbind(dim=1))
    partners = others[partners_of(parameters)[chosen][rows].to(others.device)]
    mix = mix * is_shown(partners)[:, None, None, None]
    height, width = others.shape[-2:]
    vertical, horizontal = torch.fft.fftfreq(height).abs(), torch.fft.rfftfreq(width)
    # Only the corner of k-space that the largest square reaches: a few lines of hundreds.
    near = rows_of(vertical <= reach).to(spectra.device)
    columns = int((horizontal <= reach).sum())
    corner = (rows.to(spectra.device)[:, None], near)
    own = spectra[..., :columns].transpose(1, 2)[corner]
    amplitude = torch.fft.rfft2(partners.float())[..., :columns].transpose(1, 2)[:, near].abs()
    distance = torch.maximum(vertical.to(spectra.device)[near][:, None, None], horizontal[:columns].to(spectra.device))
    # Where there is no amplitude there is no phase to keep either.
    factor = (1 - mix) + mix * amplitude / own.abs().clamp(min=_NO_AMPLITUDE)
    spectra[..., :columns].transpose(1, 2)[corner] = own * torch.where(distance <= radius, factor, 1.0)


def _profile(parameters: Parameters, chosen: Tensor, axis: int, side: int) -> Float[Tensor, "rows side"]:
    """Factor on each line across one axis: of ghosts, of a coarser grid, and of truncation."""
    index = (torch.fft.fftfreq(side) * side).round()
    distance = index.abs() / side
    copies, strength, along = parameters.ghosting[chosen].unsqueeze(2).unbind(dim=1)
    is_weakened = (index % copies != 0) & (along == axis)
    ghosts = 1 - strength * is_weakened
    factor = parameters.acquired_resolution[chosen, None]
    # Scanners smooth the edge where they fill up with zeros: Hamming's window, none where nothing is cut.
    hamming = 0.54 + 0.46 * torch.cos(2 * torch.pi * distance / factor)
    smooth = torch.where(factor < 1, hamming * (distance <= factor / 2), 1.0)
    profile: Tensor = ghosts * smooth * (distance <= parameters.gibbs[chosen, None] / 2)
    return profile
