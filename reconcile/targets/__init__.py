"""Adapter out: AOM and COC on the wire. The only floor that imports httpx."""
