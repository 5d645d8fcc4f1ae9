"""The catalogue of models, and the store they are kept in."""
