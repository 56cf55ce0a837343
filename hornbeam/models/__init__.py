"""Models: Sequential, Functional and subclassed ones, and what shows them."""
