"""Models that exist already: read where nothing of them can run, kept in formats that are safe."""
