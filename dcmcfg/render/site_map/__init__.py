"""The map of a site: as a table, JSON, SVG, and as text for Mermaid."""
