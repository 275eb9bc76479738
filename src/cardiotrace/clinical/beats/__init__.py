"""Where in a curve of sizes heart beats begin and end, and where systole ends."""
