"""Starts a dispatcher. As short as can be: what is run as a file is compiled each time."""

import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))

from dispatcher import Dispatcher  # type: ignore[import-not-found]

Dispatcher(sys.argv[1]).run()
