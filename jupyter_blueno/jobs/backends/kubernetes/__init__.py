"""Jobs as batch/v1 Jobs of a Kubernetes cluster; see `backend.py`."""
