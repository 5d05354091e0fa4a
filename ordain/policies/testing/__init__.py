"""Unit tests of policies: cases in YAML, judged by the engine that judges changes.

| module | what it is |
|---|---|
| `suites` | what a file of tests may say, and reading it |
| `drafts` | documents that a case edits, with the place of every edit |
| `scenes` | the world of a case: estate, change, approvals, evidence, time |
| `expectations` | what a case expects against what was found |
| `running` | the door: every case of a suite, and what came of it |
| `coverage` | which answers the cases have seen |
| `printing` | results for people, for programs and for JUnit |

A test language of its own was refused, and so was a mock of the engine: a test that is green here
and red at the gate would be worse than none. The packs that ship are tested by the same code.
"""
