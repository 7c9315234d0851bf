"""The JSON Schema of each object that ``--json`` prints, and of the file of ``verify --evidence``.

``objects/`` has a schema for each object, ``parts/`` for the parts that several objects contain.
"""
