"""The rows of a display: read into steps, then decided."""
