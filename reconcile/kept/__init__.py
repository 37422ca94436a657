"""What is kept to save time: checksummed files, and columns as bytes. Knows no specs and no state."""

from reconcile.kept.columns import Sheet, decode, encode
from reconcile.kept.files import Kept

__all__ = ["Kept", "Sheet", "decode", "encode"]
