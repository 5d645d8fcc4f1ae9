"""One tool per file, behind the protocols in `protocols`. The tools are imported when an engine is loaded."""
