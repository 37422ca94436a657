"""Pure: desired + snapshot -> plan. The same input gives the same bytes; no I/O, no clock, no randomness."""
