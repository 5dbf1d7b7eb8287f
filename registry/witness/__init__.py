"""Watching each other: neighbours' checkpoints are co-signed here, and ours there (c2sp.org/tlog-witness@v1.0.0)."""
