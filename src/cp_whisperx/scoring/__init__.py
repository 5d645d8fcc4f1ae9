"""How near a result is to a reference that people made: pure functions, no models, no media."""
