"""Everything that can be asked of Blueno: one operation a function, one noun a file.

An operation names its HTTP method and path, who may call it, and the structs
that go in and come out. The server mounts the list, the client calls it over
HTTP or in-process, the OpenAPI document is written from it: the contract is
declared once.

Modules here import only the rooms' ``model`` modules at the top, so that a
kernel can speak the contract without loading databases or decoders.
"""
