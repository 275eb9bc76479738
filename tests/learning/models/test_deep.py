"""Networks that are taught by more than one output, or by more than their outputs."""

import pytest
import torch

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.acnn import ACNN, ACNNConfig
from cardiotrace.learning.models.attention import AttentionGate, AttentionUNetConfig, attention_unet
from cardiotrace.learning.models.hourglass import StackedHourglassConfig, stacked_hourglass
from cardiotrace.learning.models.network import NetworkSpec, TrainingOutputs
from cardiotrace.learning.models.nnunet import NNUNet2DConfig, PlannedUNet, deep_supervision_weights
from cardiotrace.learning.models.small import SmallUNetConfig, small_unet
from cardiotrace.learning.models.unetpp import UNetPlusPlusConfig, unet_plus_plus


def test_a_shallower_unet_plus_plus_answers_with_the_same_weights():
    torch.manual_seed(0)
    images = torch.rand(1, 1, 16, 32)
    deep = unet_plus_plus(UNetPlusPlusConfig((4, 6, 8)), NetworkSpec(1, 3))
    shallow = unet_plus_plus(UNetPlusPlusConfig((4, 6, 8), depth=1), NetworkSpec(1, 3))
    shallow.load_state_dict(deep.state_dict())
    both = deep.train()(images).logits
    torch.testing.assert_close(deep.eval()(images), both[0])
    torch.testing.assert_close(shallow.eval()(images), both[1])
    assert not torch.equal(both[0], both[1])
    torch.testing.assert_close(shallow.train()(images).logits[0], both[1])  # the one in use comes first


def test_what_only_deeper_outputs_need_is_left_out_in_use():
    network = unet_plus_plus(UNetPlusPlusConfig((4, 6, 8), depth=1), NetworkSpec(1, 3)).eval()
    used: list[int] = []
    for level, block in enumerate(network.encoder):
        block.register_forward_hook(lambda *_, level=level: used.append(level))
    assert network(torch.rand(1, 1, 16, 16)).shape == (1, 3, 16, 16)
    assert used == [0, 1]
    network.train()(torch.rand(1, 1, 16, 16))
    assert used == [0, 1, 0, 1, 2]


def test_a_residual_stage_starts_from_the_one_before():
    network = stacked_hourglass(StackedHourglassConfig(residual=True), NetworkSpec(1, 4))
    with torch.no_grad():
        for stage in network.stages[1:]:
            stage.head.weight.zero_()
    last, middle, first = network.train()(torch.rand(1, 1, 32, 32)).logits
    assert torch.equal(last, first)
    assert torch.equal(middle, first)
    assert network.stages[1].encoder[0][0].in_channels == 1 + 4


def test_a_gate_shuts_out_what_the_coarse_level_does_not_want():
    torch.manual_seed(0)
    gate = AttentionGate(4, 6, "none")
    features, coarse = torch.rand(1, 4, 8, 8), torch.rand(1, 6, 4, 4)
    alpha = gate.coefficients(features, coarse)
    assert alpha.shape == (1, 1, 8, 8)
    # sigmoid(psi relu(theta x + phi g)) of each 2x2 pixels, by plain sums; then between their middles.
    patches = features.reshape(1, 4, 4, 2, 4, 2)
    theta = torch.einsum("oikl,bixkyl->boxy", gate.theta.weight, patches)
    phi = torch.einsum("oi,bixy->boxy", gate.phi.weight[..., 0, 0], coarse) + gate.phi.bias[:, None, None]
    psi = torch.einsum("oi,bixy->boxy", gate.psi.weight[..., 0, 0], torch.relu(theta + phi)) + gate.psi.bias
    own = psi.sigmoid()
    assert own.std() > 0.01
    torch.testing.assert_close(alpha[0, 0, 0, 0], own[0, 0, 0, 0])
    torch.testing.assert_close(alpha[0, 0, 1, 1], (own[0, 0, :2, :2] * torch.tensor([[9, 3], [3, 1]]) / 16).sum())
    with torch.no_grad():
        gate.psi.bias.fill_(-100.0)
    assert (gate(features, coarse) - gate.out(torch.zeros_like(features))).abs().max() < 1e-6
    assert len(attention_unet(AttentionUNetConfig(), NetworkSpec(1, 2)).gates) == 3


def test_anisotropic_strides_halve_one_axis():
    config = NNUNet2DConfig(((1, 3), (3, 3), (3, 3)), ((1, 1), (1, 2), (2, 2)), (4, 6, 8))
    network = PlannedUNet(config, 1, 3)
    assert network.divisor == (2, 4)
    shapes = [tuple(block.shape[-2:]) for block in TrainingOutputs.of(network.train()(torch.rand(1, 1, 6, 12))).logits]
    assert shapes == [(6, 12)]
    assert network.encoder[0][0].weight.shape[-2:] == (1, 3)
    deeper = PlannedUNet(NNUNet2DConfig(((3, 3),) * 4, ((1, 1), (1, 2), (2, 2), (2, 2)), (4, 4, 6, 8)), 1, 3)
    assert [tuple(block.shape[-2:]) for block in deeper(torch.rand(1, 1, 8, 16)).logits] == [(8, 16), (8, 8)]


def test_weights_of_coarser_outputs_halve_and_the_coarsest_has_none():
    network = PlannedUNet(NNUNet2DConfig(), 1, 4)
    assert len(network.heads) == len(network.decoder) - 1 == 5
    assert deep_supervision_weights(5) == pytest.approx([weight / 31 for weight in (16, 8, 4, 2, 1)])
    assert deep_supervision_weights(1) == (1.0,)
    with pytest.raises(ConfigError, match="same two or more stages"):
        NNUNet2DConfig(widths=(8, 16))


def test_the_autoencoder_learns_first_and_then_teaches():
    torch.manual_seed(0)
    network = ACNN(ACNNConfig(prior_steps=1, side=16), 1, 4).train()
    labels = torch.randint(0, 4, (2, 32, 32))
    images = torch.rand(2, 1, 32, 32)
    learned = network.auxiliary_losses(TrainingOutputs.of(network(images)), labels)
    learned.pop("reconstruction").backward()
    assert not learned
    assert all(weights.grad is not None for weights in network.prior.parameters())
    assert all(weights.grad is None for weights in network.segmenter.parameters())
    network.zero_grad(set_to_none=True)
    taught = network.auxiliary_losses(TrainingOutputs.of(network(images)), labels)
    taught.pop("shape").backward()
    assert not taught
    assert all(weights.grad is None for weights in network.prior.parameters())  # frozen
    assert network.segmenter.head.weight.grad.abs().max() > 0


def test_a_perfect_prediction_has_the_shape_of_the_reference():
    torch.manual_seed(0)
    network = ACNN(ACNNConfig(side=16), 1, 4)
    labels = torch.zeros(1, 32, 32, dtype=torch.long)
    labels[:, 8:20, 8:20] = 2
    sure = 100.0 * torch.nn.functional.one_hot(labels, 4).permute(0, 3, 1, 2).float()
    assert network.shape_distance(sure, labels).item() == pytest.approx(0, abs=1e-6)
    assert network.shape_distance(sure.roll(8, 2), labels).item() > 1e-3


def test_an_autoencoder_learns_squares():
    torch.manual_seed(0)
    network = ACNN(ACNNConfig(side=16), 1, 2)
    labels = torch.zeros(4, 32, 32, dtype=torch.long)
    for index in range(4):
        labels[index, 4 * index : 4 * index + 12, 8:24] = 1
    optimiser = torch.optim.Adam(network.prior.parameters(), lr=3e-3)
    first = network.reconstruction_loss(labels).item()
    for _ in range(60):
        optimiser.zero_grad()
        network.reconstruction_loss(labels).backward()
        optimiser.step()
    assert network.reconstruction_loss(labels).item() < 0.2 * first


def test_a_label_to_ignore_is_no_shape():
    network = ACNN(ACNNConfig(side=16), 1, 4)
    labels = torch.full((1, 32, 32), 255)
    assert torch.equal(network.reconstruction_loss(labels), network.reconstruction_loss(torch.zeros_like(labels)))


def test_small_network_lays_channels_out_as_pixels():
    network = small_unet(SmallUNetConfig(2, (16, 16)), NetworkSpec(1, 3)).eval()
    assert network.divisor == 4
    assert network(torch.rand(1, 1, 8, 12)).shape == (1, 3, 8, 12)
