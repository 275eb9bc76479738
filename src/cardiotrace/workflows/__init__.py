"""One module per verb: configuration in, result out. This is the Python API behind the command line."""
