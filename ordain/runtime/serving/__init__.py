"""Serving: declared routes, answered over HTTP, each answer recorded before it is given.

| module | what it is |
|---|---|
| `config` | what one server serves, as a file |
| `conditions`, `routing` | which deployment answers a request, and by which draw |
| `contract` | what a request must look like |
| `keys` | who may call |
| `slots` | a deployment with its verified model in memory |
| `recorder` | the prediction chain of one worker |
| `predictor` | one record in, one recorded answer out |
| `shadows` | models that see the traffic and never answer |
| `metrics` | counters in Prometheus' text |
| `app` | HTTP |
| `worker` | the process that answers |
| `children`, `supervisor` | the process that keeps workers answering |
| `status`, `client` | how the reconciler starts, replaces, stops and looks |

Two processes, because they fail for different reasons. The supervisor owns the socket and nothing
else that can go wrong: no model, no ledger, no request. A worker can be killed, replaced or fail to
load, and the socket, with the connections waiting in it, stays.
"""
