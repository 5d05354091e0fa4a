"""Documents into desired resources, one pure function per target.

Nothing here touches a target; the reconciler compares and applies.

| module | what it is |
|---|---|
| `resources` | `Resource` and `Waiting`: what a compiler gives |
| `serving` | what one environment serves, shared by all targets |
| `local` | training jobs and one server per environment on this machine |
| `kubernetes` | the same as manifests, and their YAML |
| `admission` | policies as a cluster's own admission control |
| `portability`, `clusters` | what a version of Kubernetes cannot hold, and its CEL not say |
| `rewriting` | expressions as a cluster takes them |
"""
