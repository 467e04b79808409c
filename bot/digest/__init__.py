"""The weekly digest: what is ready, what changed, what it costs to leave it, and who owns what."""
