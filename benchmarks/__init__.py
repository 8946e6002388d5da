"""The headline numbers, each against its peer or the bare operation, in one run.

``python -m benchmarks`` runs all and prints a table; ``python -m benchmarks jobs``
runs one. Numbers of one machine are only told beside numbers of the same run.
"""
