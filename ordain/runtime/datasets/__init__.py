"""Tables that models learn from: read, brought to the declared types, judged, and named by content.

Everything stays in Arrow columns; no value is touched by a Python loop. `reading.read_dataset` is
the door: it gives a table that is what the Dataset declares, or one error that says what is wrong,
where, and how to mend it. Sources other than files, and tables larger than memory, are refused
clearly until they are real.
"""
