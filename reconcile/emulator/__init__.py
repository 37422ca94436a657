"""The five API documents as a server of its own. Shares no code with `targets`, so that neither hides the other's mistake."""
