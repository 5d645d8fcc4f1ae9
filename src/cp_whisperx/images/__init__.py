"""The image wing: from the table of stages to one small image each. Runs on the host, never in an image."""
