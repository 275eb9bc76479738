"""Heart beats of a film: where each begins, where systole ends, and what follows from the curve of sizes."""
