"""Objective, loop, state, training log: small separate parts of a training run."""
