"""The cost table: its rows, its columns, and the formats that it is printed in."""
