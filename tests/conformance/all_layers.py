"""All tables of layers; what Keras gives for each lies in a file of its own, tests/layers/oracle*.npz."""

from tests.conformance import attention_table, layers_table, more_layers_table, preprocessing_table, recurrent_table
from tests.conformance.layers_table import Row

TABLES: dict[str, list[Row]] = {
    "": layers_table.ROWS,
    "attention": attention_table.ROWS,
    "recurrent": recurrent_table.ROWS,
    "more": more_layers_table.ROWS,
    "preprocessing": preprocessing_table.ROWS,
}
ROWS: list[Row] = [row for table in TABLES.values() for row in table]
