"""HTML pages and SVG diagrams."""
