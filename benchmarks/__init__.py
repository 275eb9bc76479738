"""How fast it is, as ratios in one run against the peer a user would pick. `make bench` runs all of it."""
