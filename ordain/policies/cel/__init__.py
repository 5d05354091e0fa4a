"""CEL as Python functions.

The C++ front end parses and type-checks an expression; its checked tree is read here, translated
into Python and compiled once. That runs twenty times as fast as the C++ evaluator, because no value
is copied, and it can be run again over values that remember what was read from them.

| module | what it is |
|---|---|
| `programs` | the engine: fast where it can be, exact where it has to be |
| `exact` | the C++ front end and evaluator |
| `wire`, `tree` | the checked syntax tree out of its serialized form |
| `macros` | what a comprehension was before it was expanded |
| `emitter`, `compiling` | Python for a tree; one function for all policies of a kind |
| `values`, `texts`, `times`, `patterns` | what operators and functions mean |
| `recording` | containers that remember what was read |
"""
