"""``python -m jupyter_blueno``: the ``blueno`` command."""

from jupyter_blueno.cli import main

if __name__ == "__main__":
    main(prog_name="blueno")
