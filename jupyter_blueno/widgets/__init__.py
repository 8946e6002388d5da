"""What a notebook shows: pictures, volumes and datasets to look at."""

from jupyter_blueno.widgets.show import show

__all__ = ["show"]
