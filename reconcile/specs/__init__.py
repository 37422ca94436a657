"""Adapter in: YAML with locations -> interpolation -> Desired. The only floor that imports yaml."""
