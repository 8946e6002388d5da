"""Starts a dispatcher. As short as can be: what is run as a file is compiled each time."""

import sys

sys.path.append(__file__.rsplit("/", 4)[0])  # where Blueno lies: this Python looks for no packages

from jupyter_blueno.jobs.engine.dispatcher import Dispatcher

Dispatcher(sys.argv[1]).run()
