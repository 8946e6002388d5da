"""Blueno for a JupyterHub: its service, and what the hub's configuration needs.

`settings.configure` adds both to a hub; ``python -m jupyter_blueno.hub`` is the
service that answers for the notebooks of all users.
"""
