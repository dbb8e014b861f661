"""Commands that measure the lab and print a table, then one line of JSON with the same figures."""
