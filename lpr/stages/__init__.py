"""A file a DVC stage: read files, call the room that does the work, write files.

Every `run` takes the configuration and works in the current folder, the project's.
"""
