"""What an artifact is worth on rows that it is given: a process that knows nothing of training.

| module | what it does |
|---|---|
| `order` | what to validate, as a file that a process is started with |
| `run` | one validation from order to document |
| `scene` | the artifact, the rows and what came true, which every section looks at |
| `answering`, `truths`, `cells` | answers of an artifact, outcomes, and groups of rows |
| `checks` | how a check is made and held against its limit |
| `schema`, `quality`, `drift`, `performance`, `champion`, `calibration`, `segments`, `robustness`,
  `edge_cases`, `stability`, `fairness` | the sections of the document |
| `behaviour`, `load` | the difference to the version now running, and what an answer costs |
"""
