"""HTTP: the operations behind Jupyter's own port and authentication."""
