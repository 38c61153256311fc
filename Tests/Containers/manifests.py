"""The manifests by themselves: schemas, what is the same in two of them stays the same, and what checkov says."""

import json
import pathlib
import re
import subprocess

import kustomized
import watched
import yaml
from node import ROOT

VENV = ROOT / ".build" / "venv" / "bin"
HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = [f"1.{minor}" for minor in range(29, 38)]
# What checkov asks for and these manifests do otherwise, and why.
EXCEPTIONS = {
    "CKV_K8S_15": "the tag is a version, which is never moved: it need not be pulled at each start",
    "CKV_K8S_21": "the namespace is the user's to name: kubectl apply -n",
    "CKV_K8S_23": "the watcher comes down from root by itself: docs/decisions/0016",
    "CKV_K8S_25": "penstock-init adds NET_ADMIN, and nothing else: it loads the kernel's rules; the watcher reads them",
    "CKV_K8S_40": "penstock-init is root inside, because a capability that is added comes to root only",
    "CKV_K8S_43": "the digest is known once the image is in its user's registry",
    "CKV_K8S_9": "nobody waits for the watcher: the daemon says whether it is heard",
    "CKV_K8S_8": "when the example's agent is alive is its user's to say; the daemon has its probe",
}


def read(place):
    return [document for document in yaml.safe_load_all(pathlib.Path(place).read_text()) if document]


def check(report):
    report.title("the manifests")
    kubernetes = [ROOT / "deploy" / name for name in ("pod.yaml", "pod-classic.yaml", "kustomize/networkpolicy.yaml")]
    rendered = ROOT / ".build" / "kustomized.yaml"
    kustomized.check(report, HERE / "kustomize", rendered)
    with_watcher = kustomized.with_watcher(HERE / "kustomize", ROOT / ".build" / "kustomize-watched")
    rendered_watched = ROOT / ".build" / "kustomized-watched.yaml"
    kustomized.check(report, with_watcher, rendered_watched, ("penstock-init", "penstockd", "penstock-watch"))
    kubernetes += [uncommented(place) for place in kubernetes[:2]]
    files = [*kubernetes, rendered, rendered_watched]
    for version in VERSIONS:
        done = subprocess.run([VENV / "kubernetes-validate", "--strict", "-k", version, *files], capture_output=True, text=True)
        report.check(done.returncode == 0, f"Kubernetes {version} knows every field", done.stdout + done.stderr)
    native, classic = read(ROOT / "deploy/pod.yaml"), read(ROOT / "deploy/pod-classic.yaml")
    check_pods(report, native, classic)
    check_watcher(report, native, read(kubernetes[-2]), read(kubernetes[-1]))
    check_patches(report, native)
    check_rest(report)
    check_checkov(report, kubernetes)


def uncommented(place):
    """The manifest with what is optional in it."""
    made = ROOT / ".build" / f"{place.stem}-watched.yaml"
    made.write_text(watched.with_watcher(place.read_text()))
    return made


def check_watcher(report, plain, native, classic):
    """What the marked lines, and the component, add."""
    init, daemon, watcher = native[2]["spec"]["initContainers"]
    report.check([init, daemon] == plain[2]["spec"]["initContainers"] and native[2]["spec"] == dict(
        plain[2]["spec"], initContainers=[init, daemon, watcher]), "pod.yaml: the marked lines add a container, and nothing else")
    same = dict(watcher)
    report.check(same.pop("restartPolicy") == "Always" and classic[2]["spec"]["containers"][1] == same,
                 "pod-classic.yaml: the same container, behind the daemon")
    report.check(watcher["command"] == init["command"] and watcher["args"] == ["verify", "--watch", *init["args"][1:]],
                 "the watcher has the flags of penstock-init")
    report.check(watcher["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["NET_ADMIN", "SETUID", "SETGID"]}
                 and watcher["securityContext"] | {"capabilities": 0} == init["securityContext"] | {"capabilities": 0},
                 "it comes down from root by itself, and has what it needs for that")
    for name, found in (("pod", ["spec"]), ("workload", ["spec", "template", "spec"]),
                        ("cronjob", ["spec", "jobTemplate", "spec", "template", "spec"])):
        inner = read(ROOT / f"deploy/kustomize/watched/{name}.yaml")[0]
        for key in found:
            inner = inner[key]
        wanted = [{"name": "penstock-init"}, {"name": "penstockd"}, dict(watcher, args=["verify", "--watch"])]
        report.check(inner == {"initContainers": wanted}, f"kustomize/watched/{name}.yaml adds what pod.yaml has", inner)


def check_pods(report, native, classic):
    first, second = native[2]["spec"], classic[2]["spec"]
    init, daemon = first["initContainers"]
    report.check([init["name"], daemon["name"]] == ["penstock-init", "penstockd"] and daemon["restartPolicy"] == "Always"
                 and "startupProbe" in daemon and [each["name"] for each in first["containers"]] == ["agent"],
                 "pod.yaml: penstock-init, then the daemon with a startup probe, then the agent")
    same = dict(daemon)
    del same["restartPolicy"]
    moved = dict(second, initContainers=[init, daemon], containers=second["containers"][1:])
    report.check(second["containers"][0] == same and moved == first and native[:2] == classic[:2],
                 "pod-classic.yaml: the same, with the daemon among the containers")
    report.check(init["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["NET_ADMIN"]}
                 and "add" not in daemon["securityContext"]["capabilities"], "only penstock-init has a capability: NET_ADMIN")
    agent = first["containers"][0]
    mounts = {mount["name"] for mount in daemon["volumeMounts"]}
    report.check(not mounts & {mount["name"] for mount in agent.get("volumeMounts", [])}, "the agent mounts nothing of the daemon's")
    users = {container["securityContext"]["runAsUser"] for container in (init, daemon, agent)}
    report.check(len(users) == 3 and daemon["securityContext"]["runAsGroup"] != agent["securityContext"]["runAsGroup"],
                 "three containers, three users")


def check_patches(report, native):
    """The component's patches are pod.yaml's specification, at their three places, without the example's agent and its port."""
    pod = native[2]["spec"]
    wanted = {key: pod[key] for key in ("automountServiceAccountToken", "enableServiceLinks", "hostNetwork", "hostPID", "hostIPC",
                                        "shareProcessNamespace", "terminationGracePeriodSeconds")}
    wanted["initContainers"] = [dict(pod["initContainers"][0], args=["install"]), pod["initContainers"][1]]
    wanted["volumes"] = [volume for volume in pod["volumes"] if volume["name"].startswith("penstock-")]
    found = {
        "pod": read(ROOT / "deploy/kustomize/pod.yaml")[0]["spec"],
        "workload": read(ROOT / "deploy/kustomize/workload.yaml")[0]["spec"]["template"]["spec"],
        "cronjob": read(ROOT / "deploy/kustomize/cronjob.yaml")[0]["spec"]["jobTemplate"]["spec"]["template"]["spec"],
    }
    for name, specification in found.items():
        report.check(specification == wanted, f"kustomize/{name}.yaml adds what pod.yaml has", specification)
    configuration = native[0]["data"]["penstock.yaml"]
    report.check(yaml.safe_load(configuration) == read(ROOT / "deploy/kustomize/penstock.yaml")[0],
                 "kustomize/penstock.yaml says what pod.yaml says")


def check_rest(report):
    for name, words in (("the alert rules are valid", ["check", "rules", ROOT / "deploy/alerts.yaml"]),
                        ("each alert fires on what it is for", ["test", "rules", HERE / "alerts_test.yaml"])):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True)
        report.check(done.returncode == 0, name, done.stdout + done.stderr)
    done = subprocess.run([VENV / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True)
    report.check(done.returncode == 0, "hadolint has nothing to say of the Dockerfile", done.stdout)
    scripts = [*(ROOT / "deploy").glob("*.sh"), *(ROOT / "deploy/image").glob("*.sh")]
    done = subprocess.run([VENV / "shellcheck", *scripts], capture_output=True, text=True)
    report.check(done.returncode == 0, "nor shellcheck of the scripts", done.stdout)
    names = {re.search(r"penstock:(\S+)", line)[1] for place in (ROOT / "deploy").rglob("*.yaml")
             for line in place.read_text().splitlines() if "image: penstock" in line}
    version = re.search(r'"(.+)"', (ROOT / "Sources/Core/Telemetry/ProductVersion.swift").read_text())[1]
    report.check(names == {version}, "every manifest names the image of this version", names)
    report.check((ROOT / "Dockerfile").read_text().count(f"ARG VERSION={version}\n") == 2, "and so does the Dockerfile")


def check_checkov(report, files):
    """What it finds is what is excepted, no more and no less."""
    words = [word for file in files for word in ("-f", str(file))]
    done = subprocess.run([VENV / "checkov", *words, "--framework", "kubernetes", "--compact", "--quiet", "--output", "json"],
                          capture_output=True, text=True)
    try:
        answer = json.loads(done.stdout)
        failed = {each["check_id"]: f"{each['resource']}: {each['check_name']}" for each in answer["results"]["failed_checks"]}
        passed = answer["summary"]["passed"]
    except (ValueError, KeyError, TypeError):
        failed, passed = {"no answer": done.stdout[-2000:] + done.stderr[-2000:]}, 0
    found = [f"{each} {failed.get(each, 'is excepted, and no longer found')}" for each in sorted(failed.keys() ^ EXCEPTIONS.keys())]
    report.check(passed > 100 and not found, f"checkov passes {passed} checks; the {len(EXCEPTIONS)} exceptions are stated, and needed",
                 "\n".join(found))
