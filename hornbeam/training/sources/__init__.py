"""One small class per kind of data that `fit`, `evaluate` and `predict` take."""
