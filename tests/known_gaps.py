"""Public names of Keras that hornbeam leaves out or shapes otherwise on purpose, each with the reason.

A row is checked by test_api.py: the name must be Keras's, and the gap must still be there.
"""

GAPS: dict[str, str] = {}

# Ops that give something else than NumPy or Keras: "row/aspect" or "row/aspect/backend" of tests/conformance, with
# the reason. A row that passes after all fails the test, so the list cannot grow old.
OP_GAPS: dict[str, str] = {
    "argpartition/values/numpy": "which order the elements on either side of `kth` come in is free",
    "histogram:range/int32/numpy": "Keras places an element on an edge by the rounding of its float32 edges",
    "logaddexp/promotion": "Keras widens half precision beside a Python float, unlike in all its other ops",
    "geomspace/spec/numpy": "abstract evaluation on NumPy uses zeros, between which there is no geometric series",
    "bincount/node": "Keras writes `weights=None` as configuration; here it is a tensor that was not given",
    "trapezoid/node": "Keras writes `x=None` as configuration; here it is a tensor that was not given",
    "trapezoid:dx/node": "Keras writes `x=None` as configuration; here it is a tensor that was not given",
}

# Rows of tests/conformance/layers_table.py that do not hold, "row" or "row/backend", with the reason.
LAYER_GAPS: dict[str, str] = {
    "Lambda/arguments/numpy": "a Python float times a bfloat16 array is float32 in NumPy itself",
}
