"""Networks: images (batch, channels, height, width) to logits (batch, classes, height, width)."""
