"""Background jobs: what is asked, what runs, what came of it.

``sending`` makes a job of a request, ``backends`` takes it, ``engine`` runs it
on this machine, ``inside`` is its own process; ``monitor`` follows what its
folder says into its row, ``manager`` is what the platform asks.
"""
