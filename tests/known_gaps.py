"""Public names of Keras that hornbeam leaves out or shapes otherwise on purpose, each with the reason.

A row is checked by test_api.py: the name must be Keras's, and the gap must still be there.
"""

GAPS: dict[str, str] = {}
