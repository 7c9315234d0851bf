"""The site as a graph: AEs, storages and other destinations, and the messages and objects between them."""
