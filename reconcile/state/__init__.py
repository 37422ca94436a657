"""Adapter: where snapshots are kept. Codec, journal, lock, local file."""
