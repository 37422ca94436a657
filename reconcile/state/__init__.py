"""Adapter: where snapshots are kept. Codec, journal, lock, local file. Knows nothing of specs, plans, targets or views."""
