"""A search for the estimator and its parameters (`training.automl`), inside the training part.

A trial is an ordinary Model: a copy of the declared one with an estimator, its parameters and the
preparation of columns that goes with them. What is found is therefore trained, exported, proven and
explained by the code that trains a named estimator, and could be written into the estate by hand.

The budget is a number of trials, because a number of seconds makes another model on a slower day.
Averages of several models were refused: they win a little on a leaderboard, and nobody can say in
one sentence why one of them refused a loan.
"""
