"""Losses: logits and labels to one number to be made small."""

from cardiotrace.learning.losses.catalog import LOSSES
from cardiotrace.learning.losses.marginal import marginal_loss
from cardiotrace.learning.losses.overlap import DiceConfig, DiceCrossEntropyConfig, Loss, soft_dice_loss

__all__ = ["LOSSES", "DiceConfig", "DiceCrossEntropyConfig", "Loss", "marginal_loss", "soft_dice_loss"]
