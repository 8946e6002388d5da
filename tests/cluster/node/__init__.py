"""A Kubernetes of one node on this machine, for tests: built from Go modules, in namespaces of its own.

Only the standard library: ``scripts/cluster`` runs it before anything is installed.
"""
