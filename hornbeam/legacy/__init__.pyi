"""`hornbeam.legacy` for type checkers and editors, which cannot see names that load on first touch."""

from hornbeam.legacy import saving as saving
