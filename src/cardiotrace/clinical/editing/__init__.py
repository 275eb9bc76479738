"""What a person changes in labels: outlines, landmarks, verdicts, key frames, and how that is carried on."""
