"""State, step, loop, journal: small separate parts of a training run."""
