"""Which group of patients an exam is like, by what was measured in it: indices, a linear classifier, its reading."""
