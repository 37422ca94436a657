"""The only verb that acts, through ports: waves, read-back, triggers."""
