"""An environment as Kubernetes manifests.

One Deployment serves all routes of the environment behind one Service, because a route may split
its traffic between models; every model that has something to learn gets a Job. The objects are
plain dicts in a fixed order, applied server-side; nothing is templated, because a template is a
second language with no types.

Decided here, and not left to whoever applies: pods run as nobody, with a read-only root, without
capabilities and without a token; the image is named by digest, because a tag is not a version; a
Job is named after its recipe, because a Job cannot be changed; and the pod template carries the
digest of the configuration, so that a new version rolls the pods and an equal one does not.

Volumes are claims by name: `ordain-artifacts` (read by servers, written by Jobs) and
`ordain-ledger`. A server verifies the statement of every version and finds it in `ordain-artifacts`
under its digest; there a reconciler has put it, and whoever applies without one copies it from
`evidence/` of the estate, as docs/training.md shows. A Job learns from the snapshot that
`ordain-artifacts` has under the digest of its Dataset, and sees no other data. Configuration comes
from a ConfigMap, which nobody can write, so a server has a run directory of its own beside it; a
Job leaves evidence and result in `ordain-artifacts`, because its pod does not stay. All pods write
to one ledger, each under its own name. Routing keys are given as they stand in the server's
configuration: name, SHA-256 and routes, which open nothing by themselves.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain import __version__
from ordain.compilers.errors import CompileError
from ordain.compilers.local import train
from ordain.compilers.resources import Resource
from ordain.compilers.serving import champion, environment_named, served
from ordain.runtime.training.order import thread_environment
from ordain.specs.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ordain.compilers.serving import Served
    from ordain.specs.documents import LoadedEstate
    from ordain.specs.kinds.estate import Environment

Manifest = dict[str, Any]

PORT: Final = 8080
JOB_FORMAT: Final = "ordain.job/2"
RUN: Final = "/run/ordain"
SETTINGS: Final = "/etc/ordain"
STORE: Final = "/var/lib/ordain"
_IMAGE: Final = re.compile(r"[a-z0-9][a-zA-Z0-9._/:-]*@sha256:[0-9a-f]{64}")
_LONGEST_NAME: Final = 63
_SIZES: Final = {
    "small": ("250m", "512Mi"),
    "medium": ("1", "2Gi"),
    "large": ("4", "8Gi"),
}
_JOB_SIZE: Final = ("1", "4Gi")
_JOB_KEPT_SECONDS: Final = 86_400
_USER: Final = 65532


@dataclass(frozen=True, slots=True)
class Target:
    """Where the objects go and what they are called."""

    estate: str
    environment: Environment
    image: str

    def name(self, *parts: str) -> str:
        """A name that a cluster accepts; one that would be too long ends in a digest."""
        whole = "-".join(("ordain", self.environment.name, *parts))
        if len(whole) <= _LONGEST_NAME:
            return whole
        short = hashlib.sha256(whole.encode()).hexdigest()[:10]
        return f"{whole[: _LONGEST_NAME - 11].rstrip('-')}-{short}"

    def labels(self, component: str) -> dict[str, str]:
        """The recommended labels."""
        return {
            "app.kubernetes.io/name": "ordain",
            "app.kubernetes.io/instance": self.name(),
            "app.kubernetes.io/component": component,
            "app.kubernetes.io/part-of": self.estate,
            "app.kubernetes.io/managed-by": "ordain",
        }

    def selector(self) -> dict[str, str]:
        """The labels that never change, which is what a selector may use."""
        labels = self.labels("server")
        kept = ("name", "instance", "component")
        return {f"app.kubernetes.io/{key}": labels[f"app.kubernetes.io/{key}"] for key in kept}

    def metadata(
        self, name: str, component: str, annotations: dict[str, str] | None = None
    ) -> dict[str, Any]:
        found: dict[str, Any] = {
            "name": name,
            "namespace": self.environment.namespace,
            "labels": self.labels(component),
        }
        return found | ({"annotations": annotations} if annotations else {})


def compile_kubernetes(
    estate: LoadedEstate,
    environment: str,
    image: str,
    *,
    lock: bytes = b"",
    keys: Sequence[dict[str, Any]] = (),
) -> list[Manifest]:
    """The objects of one environment, in the order in which they can be applied.

    `image` is named by digest; `lock` holds the bytes of the environment lock.

    Raises:
        CompileError: no such environment, or an image without a digest.
    """
    place = environment_named(estate, environment)
    if not _IMAGE.fullmatch(image):
        message = f"the image `{image}` is not named by its digest"
        raise CompileError(message, remedy="give NAME@sha256:DIGEST; a tag can change its content")
    target = Target(next(one.name for one in estate.all("Estate")), place, image)
    found = served(estate, environment)
    manifests = [_service_account(target)]
    if found.routes:
        config = _config(target, found, keys)
        manifests += [
            _config_map(target, target.name(), "server", {"config.json": config}),
            _service(target),
            _deployment(target, found, config),
        ]
    for training in train(estate, lock):
        if isinstance(training, Resource):
            manifests += _training(target, training, _job(estate, training, lock))
    return manifests


def render(manifests: Iterable[Manifest]) -> str:
    """The objects as YAML documents, the same bytes for the same objects."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump_all(
        manifests,
        Dumper=dumper,
        sort_keys=False,
        explicit_start=True,
        allow_unicode=True,
        width=100,
    )
    return text


def _config(target: Target, found: Served, keys: Sequence[dict[str, Any]]) -> str:
    config = found.config(target.environment, host="0.0.0.0", port=PORT)  # noqa: S104 - a pod
    config |= {
        "artifacts": f"{STORE}/artifacts",
        "ledger": f"{STORE}/ledger",
        "durability": "durable",
        "keys": list(keys),
    }
    return json.dumps(config, indent=1, sort_keys=True) + "\n"


def _service_account(target: Target) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": target.metadata(target.name(), "server"),
        "automountServiceAccountToken": False,
    }


def _config_map(target: Target, name: str, component: str, data: dict[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": target.metadata(name, component),
        "data": data,
    }


def _service(target: Target) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": target.metadata(target.name(), "server"),
        "spec": {
            "type": "ClusterIP",
            "selector": target.selector(),
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def _deployment(target: Target, found: Served, config: str) -> Manifest:
    digests = {"ordain.dev/config": digest(config)}
    versions = ", ".join(
        f"{name}={one['model']}@{one['version']}" for name, one in found.deployments.items()
    )
    pod = _pod(target, _server_container(target, found), _server_volumes(target))
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": target.metadata(target.name(), "server", {"ordain.dev/versions": versions}),
        "spec": {
            "replicas": max(one.spec.replicas for one in found.documents),
            "revisionHistoryLimit": 5,
            "selector": {"matchLabels": target.selector()},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "template": {
                "metadata": {"labels": target.labels("server"), "annotations": digests},
                "spec": pod,
            },
        },
    }


def _server_container(target: Target, found: Served) -> dict[str, Any]:
    config = f"{SETTINGS}/config.json"
    pod_name = {"fieldRef": {"fieldPath": "metadata.name"}}
    size = max((one.spec.size for one in found.documents), key=list(_SIZES).index)
    return {
        **_container(target, "server", ["-m", "ordain.runtime.serving", RUN, "--config", config]),
        "env": [{"name": "ORDAIN_INSTANCE", "valueFrom": pod_name}],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "resources": _resources(*_SIZES[size]),
        "startupProbe": _probe("/readyz", period=2, failures=60),
        "readinessProbe": _probe("/readyz", period=5, failures=2),
        "livenessProbe": _probe("/healthz", period=10, failures=3),
        "volumeMounts": [
            {"name": "run", "mountPath": RUN},
            {"name": "config", "mountPath": SETTINGS, "readOnly": True},
            {"name": "artifacts", "mountPath": f"{STORE}/artifacts", "readOnly": True},
            {"name": "ledger", "mountPath": f"{STORE}/ledger"},
        ],
    }


def _server_volumes(target: Target) -> list[dict[str, Any]]:
    return [
        {"name": "run", "emptyDir": {"sizeLimit": "64Mi"}},
        {"name": "config", "configMap": {"name": target.name()}},
        {"name": "artifacts", "persistentVolumeClaim": {"claimName": "ordain-artifacts"}},
        {"name": "ledger", "persistentVolumeClaim": {"claimName": "ordain-ledger"}},
    ]


def _probe(path: str, *, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": "http", "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": 2,
        "failureThreshold": failures,
    }


def _resources(cpu: str, memory: str) -> dict[str, Any]:
    """A limit of memory protects the neighbours; one of the processor only adds latency."""
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}}


def _container(target: Target, name: str, arguments: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "image": target.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python"],
        "args": arguments,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _pod(
    target: Target, container: dict[str, Any], volumes: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "serviceAccountName": target.name(),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": volumes,
    }


def _job(estate: LoadedEstate, training: Resource, lock: bytes) -> dict[str, Any]:
    """The order that the job reads; its format is that of `ordain.runtime.training`."""
    return {
        "format": JOB_FORMAT,
        "model": training.name,
        "spec": training.spec["model"],
        "dataset": training.spec["dataset"],
        "recipe": training.spec["recipe"],
        "environment": lock.decode("utf-8", "replace"),
        "champion": champion(estate, training.name),
        "store": f"{STORE}/artifacts",
        "tool": __version__,
    }


def _training(target: Target, training: Resource, job: dict[str, Any]) -> list[Manifest]:
    recipe = training.identity or ""
    name = target.name("train", training.name, recipe.removeprefix("sha256:")[:10])
    annotations = {"ordain.dev/model": training.name, "ordain.dev/recipe": recipe}
    text = json.dumps(job, indent=1, sort_keys=True) + "\n"
    spec: Manifest = {
        "backoffLimit": 0,
        "ttlSecondsAfterFinished": _JOB_KEPT_SECONDS,
        "template": {
            "metadata": {"labels": target.labels("training"), "annotations": annotations},
            "spec": {
                "restartPolicy": "Never",
                **_pod(
                    target,
                    _training_container(target, name, job["recipe"]["threads"]),
                    _training_volumes(name),
                ),
            },
        },
    }
    return [
        _config_map(target, name, "training", {"job.json": text}),
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": target.metadata(name, "training", annotations),
            "spec": spec,
        },
    ]


def _training_volumes(config_map: str) -> list[dict[str, Any]]:
    return [
        {"name": "run", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "job", "configMap": {"name": config_map}},
        {"name": "artifacts", "persistentVolumeClaim": {"claimName": "ordain-artifacts"}},
    ]


def _training_container(target: Target, name: str, threads: int) -> dict[str, Any]:
    """Threads are pinned by environment, because the numeric libraries read it when they load.

    Which loops they take is pinned by the job, which alone knows the architecture of its node.
    """
    directory, order = f"{STORE}/artifacts/jobs/{name}", f"{SETTINGS}/job.json"
    settings = thread_environment(threads)
    return {
        **_container(target, "training", ["-m", "ordain.runtime.training", directory, order]),
        "env": [
            *({"name": key, "value": value} for key, value in settings.items()),
            {"name": "HOME", "value": RUN},
        ],
        "resources": _resources(*_JOB_SIZE),
        "volumeMounts": [
            {"name": "run", "mountPath": RUN},
            {"name": "job", "mountPath": SETTINGS, "readOnly": True},
            {"name": "artifacts", "mountPath": f"{STORE}/artifacts"},
        ],
    }
