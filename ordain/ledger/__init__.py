"""The ledger: what happened and what was refused, in an order that nobody can quietly change.

| module | what it is |
|---|---|
| `ledger` | the door: `Ledger(root)` opens writers, records control events, answers questions |
| `records` | `Event`, `Prediction` and their bytes |
| `ids` | UUIDv7 names, so that an id tells when |
| `chain` | the line format, the hash, and the threat model |
| `segments` | the files of a chain, and repairing a torn tail |
| `locks` | one writer for one chain |
| `writer` | `ChainWriter`: append, flush, sync |
| `committer` | `GroupCommitter`: many callers, one fdatasync |
| `queries` | reading events and predictions back |
| `verification` | every chain, held against the anchors that others keep of it |
| `walk` | finding what was changed, removed, moved, doubled, cut off or forked |
"""
