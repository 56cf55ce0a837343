"""`hornbeam.preprocessing.sequence`: names only."""

from hornbeam.utils.sequence import pad_sequences

__all__ = ["pad_sequences"]
