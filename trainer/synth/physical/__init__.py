"""The physically based renderer (Mitsuba 3): refraction, reflection, indirect light, projected speckle."""
