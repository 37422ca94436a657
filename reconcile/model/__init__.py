"""Nouns: frozen, strict, no I/O, no clock, no logging."""
