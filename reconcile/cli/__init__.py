"""click: parse, wire, print, exit. The only floor that imports click, and the one that chooses adapters."""
