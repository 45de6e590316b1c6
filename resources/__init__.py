"""Files that the program ships: icons, styles, the bundled weights."""
