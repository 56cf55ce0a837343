"""The command line: `python -m hornbeam` or `hornbeam`. Importing it loads no backend."""
