"""The hub of the chart; what is in it is said in `jupyter_blueno.hub.cluster`."""

from jupyter_blueno.hub import cluster

c = get_config()  # noqa: F821 - the hub gives it
cluster.wait_for_database()
cluster.configure(c, "/etc/blueno/values.json")
load_subconfig("/etc/blueno/extra.py")  # noqa: F821
