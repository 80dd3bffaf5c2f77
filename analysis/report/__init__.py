"""A study as one HTML page that opens offline: `write_report` in `writing.py`."""
