"""Who speaks when: from the voices of short windows to the speakers of a film. Arrays in, arrays out; no models."""
