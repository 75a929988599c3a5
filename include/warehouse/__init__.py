"""The warehouse: where enrichments, costs and the state of every document land."""
