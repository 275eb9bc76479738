"""Training networks; the only room that knows PyTorch."""
