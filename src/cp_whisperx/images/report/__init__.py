"""The status report: what was aimed for beside what was measured, written from dated JSON and a table of figures."""
