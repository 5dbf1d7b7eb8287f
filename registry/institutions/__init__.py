"""Licensed medical institutions."""
