"""What a person changes in labels, as pure functions: outlines, landmarks, verdicts, key frames, and how they spread."""
