"""`hornbeam.datasets` for type checkers and editors, which cannot see names that load on first touch."""

from hornbeam.datasets import mnist as mnist
