"""What an artifact is worth on rows that it is given: a process that knows nothing of training.

| module | what it does |
|---|---|
| `order` | what to validate, as a file that a process is started with |
| `run` | one validation from order to document |
"""
