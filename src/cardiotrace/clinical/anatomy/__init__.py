"""Is it a heart at all: what anatomy allows of the labels of a plane, and of a film from frame to frame."""
