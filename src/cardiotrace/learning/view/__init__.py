"""Training of the classifier that proposes the view of an image."""
