"""What compiled work runs: training, validation, serving and monitoring.

It takes documents as data and never asks whether it may act; the gate has answered that before.
What one part writes and another reads are bytes with a digest (`artifacts`) and one description of
a fitted model that the standard library can run (`scoring`), so that a serving process needs none
of the libraries that training needs, and no part ever loads an object that can carry code.
"""
