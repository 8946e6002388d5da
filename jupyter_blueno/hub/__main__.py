"""``python -m jupyter_blueno.hub``: the service beside a JupyterHub."""

from jupyter_blueno.hub.service import BluenoService

if __name__ == "__main__":
    BluenoService.launch_instance()
