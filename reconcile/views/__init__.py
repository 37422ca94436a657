"""Plan or events -> str. Prints nothing, knows no adapter."""
