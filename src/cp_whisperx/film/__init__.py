"""What is known of a film before anybody listens: beside it, in its name, from its user, in a catalogue."""
