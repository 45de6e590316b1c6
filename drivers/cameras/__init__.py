"""One file for each kind of camera; the folder is the registry."""
