"""Speaking to the platform: over HTTP to a Jupyter server, or in-process without one."""
