"""Tests of the state: laws, golden files, one contract for every store, crashes, faults and power cuts."""
