"""A beating heart with analytic truth, and pictures of it that look like the real ones."""
