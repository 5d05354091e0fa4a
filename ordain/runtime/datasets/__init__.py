"""Tables that models learn from: read, brought to the declared types, judged, kept, and named.

Everything stays in Arrow columns; no value is touched by a Python loop. Rows are read as a stream
(`sources`), named by their content (`digests`) and kept as a snapshot (`taking`, `snapshots`), so
that a table may be larger than memory until somebody learns from it. `reading.read_pinned` is the
door of training: it gives the table that was pinned and is what the Dataset declares, or one error
that says what is wrong and how to mend it.
"""
