"""Layers around what other frameworks call a layer or a module."""
