"""Losses: logits and labels to one number to be made small."""

from cardiotrace.learning.losses.catalog import LOSSES
from cardiotrace.learning.losses.overlap import DiceConfig, DiceCrossEntropyConfig, Loss, soft_dice_loss

__all__ = ["LOSSES", "DiceConfig", "DiceCrossEntropyConfig", "Loss", "soft_dice_loss"]
