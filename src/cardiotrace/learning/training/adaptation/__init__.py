"""Learning from one scanner's labels for another scanner that has none."""
