"""Whole models in one `.h5` file, as Keras wrote them before `.keras`; and the names of that time."""
