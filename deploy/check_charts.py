"""What `make charts` runs, in the virtual environment that `make venv` makes.

Checks what `penstock inject` makes of the samples, and the Helm chart: against the schemas of each version of Kubernetes,
by Penstock's own programs, by assertions, by `helm lint` and by checkov. Says what failed, and exits with 1. The
manifests of deploy/ are checked by `make manifests`.
"""

import argparse
import itertools
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHART = ROOT / "charts/penstock"
SAMPLES = ROOT / "Tests/Runtime/ManifestInjectionTests/Golden"
TOOLS = pathlib.Path(sys.executable).parent
VERSIONS = [f"1.{minor}" for minor in range(29, 38)]
# What a pod of one of these holds must end by itself, which classic mode does not let it.
ENDING = {"Job", "CronJob"}
# Who may have which capability, and mounts which of the guard's volumes; everybody else none.
ADDED = {"penstock-init": ["NET_ADMIN"], "penstock-watch": ["NET_ADMIN", "SETUID", "SETGID"]}
MOUNTED = {
    "penstockd": {"penstock-config", "penstock-policy", "penstock-audit", "penstock-admin"},
    "penstock-watch": {"penstock-admin"},
}

failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)
        print(f"    FAILED: {what}")


def run(*command, fails=False, text=None):
    done = subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True)
    if fails is None:
        return done
    said = (done.stdout + done.stderr).strip()
    expect((done.returncode != 0) == fails, f"{' '.join(map(str, command))}: exit {done.returncode}\n{said}")
    return done


def objects(text):
    """Every object of a text, those of Lists one by one."""
    for document in yaml.safe_load_all(text):
        if document is None:
            continue
        items = document["items"] if document.get("kind", "").endswith("List") else [document]
        yield from (item for item in items if "kind" in item)


def validate(name, text):
    for item in objects(text):
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(item, version, strict=True)
            except Exception as error:  # each kind of error of the library's means the same here
                what = f"{name}: {item['kind']} {item['metadata'].get('name')}: Kubernetes {version}"
                expect(False, f"{what}: {str(error).splitlines()[0]}")


def pod_of(item):
    spec = item["spec"]
    for keys in ([], ["template", "spec"], ["jobTemplate", "spec", "template", "spec"]):
        inner = spec
        for key in keys:
            inner = inner.get(key, {}) if isinstance(inner, dict) else {}
        if "containers" in inner:
            return inner
    return None


def check_guarded(name, text, is_watched, is_trusting=False):
    """What no schema says: who has a capability, who comes first, what the agent mounts."""
    trust = {"penstock-trust"} if is_trusting else set()
    for item in objects(text):
        pod = pod_of(item) if "spec" in item else None
        if pod is None:
            continue
        where = f"{name}: {item['kind']} {item['metadata'].get('name')}"
        containers = pod.get("initContainers", []) + pod["containers"]
        expect(containers[0]["name"] == "penstock-init", f"{where}: penstock-init is not the first container")
        ours = [container["name"] for container in containers if container["name"].startswith("penstock")]
        wanted = ["penstock-init", "penstockd"] + (["penstock-watch"] if is_watched else [])
        expect(ours == wanted, f"{where}: the guard's containers are {ours}")
        for container in containers:
            context = container.get("securityContext", {})
            capabilities = context.get("capabilities", {})
            name = container["name"]
            expect(capabilities.get("add", []) == ADDED.get(name, []), f"{where}: {name}: capabilities")
            dropped = [word.upper() for word in capabilities.get("drop", [])]
            expect("ALL" in dropped, f"{where}: {name}: drop")
            expect(context.get("allowPrivilegeEscalation") is False, f"{where}: {name}: escalation")
            expect(name in ADDED or context.get("runAsUser", 1) != 0, f"{where}: {name}: root")
            mounted = {mount["name"] for mount in container.get("volumeMounts", []) if mount["name"].startswith("penstock-")}
            may_trust = set() if name in ADDED else trust
            wanted = MOUNTED.get(name, set()) | may_trust
            expect(mounted == wanted, f"{where}: {name} mounts {mounted} of the guard's")
            for mount in container.get("volumeMounts", []):
                if mount["name"] == "penstock-trust" and name != "penstockd":
                    expect(mount.get("readOnly") is True, f"{where}: {name} can write what is to be trusted")


def check_injected(penstock, folder):
    print("==> penstock inject")
    for sample in sorted(SAMPLES.iterdir()):
        if len(sample.suffixes) > 1:
            continue  # what is made of another
        before = sample.read_text()
        ends = any(item["kind"] in ENDING for item in objects(before))
        modes = ["native"] if ends else ["native", "classic"]
        for mode, watch, trust in itertools.product(modes, [[], ["--watch"]], [[], ["--intercept"]]):
            options = ["--mode", mode, *watch, *trust]
            made = folder / f"{mode}{''.join(watch + trust)}-{sample.name}"
            run(penstock, "inject", "-f", sample, "-o", made, *options)
            run(penstock, "inject", "-f", made, "--check", *options)
            back = run(penstock, "inject", "-f", made, "--uninject")
            expect(back.stdout == before, f"{made.name}: taking the guard out does not give the bytes from before")
            validate(made.name, made.read_text())
            check_guarded(made.name, made.read_text(), bool(watch), bool(trust))


def template(*arguments, fails=False):
    return run(TOOLS / "helm", "template", "release", CHART, "--namespace", "agents", *arguments, fails=fails)


def of_kind(items, kind):
    return [item for item in items if item["kind"] == kind]


def check_chart(programs, folder):
    print("==> charts/penstock")
    run(TOOLS / "helm", "lint", "--strict", CHART)
    rendered = template().stdout
    validate("charts/penstock", rendered)
    items = list(objects(rendered))
    config_maps = of_kind(items, "ConfigMap")
    fence = of_kind(items, "NetworkPolicy")[0]["spec"]
    expect({item["metadata"]["namespace"] for item in items} == {"agents"}, "chart: not all is in the namespace")
    names = [item["metadata"]["name"] for item in config_maps]
    expect(names == ["penstock-config", "penstock-policy"], f"chart: ConfigMaps: {names}")
    expect(fence["podSelector"]["matchLabels"] == {"penstock/guarded": "true"}, "chart: the label")
    expect(fence["ingress"] == [], "chart: something comes in by default")
    check_same_as_deploy(fence, config_maps)
    check_texts(programs, folder, config_maps)
    check_settings()
    check_test_pods(of_kind(items, "Pod"))
    check_values(folder)
    check_readme(folder)
    check_notes(programs, folder)
    (folder / "checked").mkdir()
    (folder / "checked/chart.yaml").write_text(rendered)
    check_checkov(folder / "checked")


def check_same_as_deploy(fence, config_maps):
    """The chart's defaults and what stands in deploy/ do not drift apart."""
    other = yaml.safe_load((ROOT / "deploy/kustomize/networkpolicy.yaml").read_text())["spec"]
    expect(fence["egress"] == other["egress"], "chart: the NetworkPolicy's egress is not that of deploy/kustomize")
    deployed = of_kind(list(objects((ROOT / "deploy/pod.yaml").read_text())), "ConfigMap")
    settings = [
        yaml.safe_load(item["data"]["penstock.yaml"])
        for item in config_maps + deployed
        if item["metadata"]["name"] == "penstock-config"
    ]
    expect(len(settings) == 2 and settings[0] == settings[1], "chart: penstock.yaml is not that of deploy/pod.yaml")


def check_texts(programs, folder, config_maps):
    """The daemon takes the policy and the configuration as they are in the ConfigMaps."""
    policy = folder / "policy"
    policy.mkdir()
    for item in config_maps:
        for name, text in item["data"].items():
            place = folder / name if name == "penstock.yaml" else policy / name
            place.write_text(text.replace("/etc/penstock/policy", str(policy)))
    run(programs / "penstock", "policy", "check", "--strict", "--config", folder / "penstock.yaml", policy)
    run(programs / "penstockd", "--config", folder / "penstock.yaml", "--check-config")


def check_settings():
    """The schema knows the keys of penstock.yaml that docs/operations.md lists, and no others."""
    text = (ROOT / "docs/operations.md").read_text()
    table = text[text.index("| `workers` |"):text.index("### Ways out")]
    documented = set(re.findall(r"^\| `([a-z]+)", table, re.MULTILINE))
    schema = json.loads((CHART / "values.schema.json").read_text())
    known = set(schema["properties"]["config"]["properties"]["settings"]["properties"])
    expect(known == documented, f"chart: config.settings: {sorted(known ^ documented)} is not in both")


def check_test_pods(pods):
    expect(len(pods) == 1 and pods[0]["metadata"]["annotations"]["helm.sh/hook"] == "test", "chart: helm test")
    context = pods[0]["spec"]["containers"][0]["securityContext"]
    unprivileged = context["readOnlyRootFilesystem"] and context["capabilities"] == {"drop": ["ALL"]}
    expect(unprivileged, "chart: helm test: privileges")
    expect(pods[0]["spec"]["automountServiceAccountToken"] is False, "chart: helm test: token")
    asked = pods[0]["spec"]["containers"][0]["args"]
    expect(asked[-3:] == ["--config", "/config/penstock.yaml", "/policy"], f"chart: helm test: {asked}")
    mounted = {volume["name"]: volume["configMap"]["name"] for volume in pods[0]["spec"]["volumes"]}
    expect(mounted == {"config": "penstock-config", "policy": "penstock-policy"}, f"chart: helm test: {mounted}")


def check_values(folder):
    values = folder / "values.yaml"
    policies = [
        {"name": "a", "namespace": "one", "files": {"x.yaml": "a"}},
        {"name": "b", "namespace": "one", "files": {"x.yml": "b"}},
        {"name": "a", "namespace": "two", "files": {"x.yaml": "c\nd\n"}},
        # Names that YAML takes for something else, and texts that a block of lines would not keep.
        {"name": "123", "namespace": "1e3", "files": {"x.yaml": "  # <e>\nf:\n  \n- g\n"}},
        {"name": "true", "namespace": "two", "files": {"x.yaml": "\n   \nh: 1 # \t\n\n"}},
    ]
    values.write_text(json.dumps({
        "policies": policies,
        "image": {"repository": "r.example/p", "digest": "sha256:" + "0" * 64},
        "networkPolicy": {
            "enabled": True, "inboundPorts": [8080], "allowedCIDRs": ["10.0.0.0/24"], "metricsNamespaces": ["m"],
        },
        "commonLabels": {"team": "x"},
    }))
    made = template("--values", values).stdout
    validate("charts/penstock, several namespaces", made)
    items = list(objects(made))
    names = [(item["kind"], item["metadata"]["namespace"], item["metadata"]["name"]) for item in items]
    expect(names.count(("ConfigMap", "one", "penstock-config")) == 1, f"chart: one configuration each: {names}")
    for name in [("ConfigMap", "two", "a"), ("NetworkPolicy", "two", "penstock-guarded")]:
        expect(name in names, f"chart: {name} is not in {names}")
    texts = [item["data"]["x.yaml"] for item in items if item["kind"] == "ConfigMap" and "x.yaml" in item["data"]]
    given = [policy["files"]["x.yaml"] for policy in policies if "x.yaml" in policy["files"]]
    expect(texts == given, f"chart: the texts of policies: {texts}")
    for name in [("ConfigMap", "1e3", "123"), ("ConfigMap", "two", "true")]:
        expect(name in names, f"chart: {name} is not in {names}")
    expect(all(item["metadata"]["labels"]["team"] == "x" for item in items), "chart: commonLabels")
    images = {item["spec"]["containers"][0]["image"] for item in of_kind(items, "Pod")}
    expect(images == {"r.example/p@sha256:" + "0" * 64}, f"chart: the digest: {images}")
    wrong = {
        "webhook.enabled=true": "webhook", "image.tag=a b": "tag", "policies[0].name=UPPER": "name", "x=1": "x",
        "config.settings.policy.path=/tmp": "path", "networkPolicy.inboundPorts[0]=0": "inboundPorts",
        "config.settings.listen.admin.path=/tmp/a": "path", "watcher.enabled=1": "watcher",
        "config.settings.interception.authority=ephemeral,config.settings.interception.publish=/tmp": "publish",
        "config.settings.lisen.port=1": "lisen", "commonLabels.app\\.kubernetes\\.io/name=x": "name",
        "networkPolicy.metricsNamespaces[0]=": "metricsNamespaces", "networkPolicy.dns.namespace=": "namespace",
        "networkPolicy.allowedCIDRs[0]=10.0.0.0/99": "allowedCIDRs", "networkPolicy.allowedCIDRs[0]=fd00::/129": "allowedCIDRs",
        "image.repository=penstock:1": "repository", "image.repository=r.example:5000/p@sha256:0": "repository",
        "config.name=penstock-policy": "penstock-policy", "policies[0].files.policy\\.txt=a": "policy.txt",
    }
    for setting, word in wrong.items():
        said = template("--set", setting, fails=True).stderr
        expect(word in said, f"chart: {setting} is refused without naming {word}: {said}")
    latin = folder / "latin.yaml"
    latin.write_bytes("apiVersion: penstock/v1 # café\n".encode("latin-1"))
    said = template("--set", "policies[0].name=penstock-policy", "--set-file", f"policies[0].files.policy\\.yaml={latin}", fails=True).stderr
    expect("penstock-policy: policy.yaml is not UTF-8" in said, f"chart: a policy in Latin-1 is refused: {said}")
    right = ["networkPolicy.allowedCIDRs={10.0.0.0/8,fd00::/8,::ffff:10.0.0.1/128}", "image.repository=localhost:5000/a/penstock"]
    for setting in right:
        template("--set", setting)
    made = template("--set", "networkPolicy.dns.podLabels.app=coredns").stdout
    peer = of_kind(objects(made), "NetworkPolicy")[0]["spec"]["egress"][0]["to"][0]
    expect(peer["podSelector"] == {"matchLabels": {"app": "coredns"}}, f"chart: dns.podLabels: {peer}")
    given = '{"k8s-app": null, "app.kubernetes.io/name": "coredns"}'
    made = template("--set-json", f"networkPolicy.dns.podLabels={given}").stdout
    expect("app.kubernetes.io/name: coredns" in made and "k8s-app: kube-dns" not in made, "chart: dns.podLabels with null")


def check_readme(folder):
    """The command of the chart's README installs the policy that it names."""
    policy = folder / "policy.yaml"
    policy.write_text("apiVersion: penstock/v1\nkind: EgressPolicy\nname: mine\n")
    block = re.search(r"```sh\n(helm install .*?)\nhelm test", (CHART / "README.md").read_text(), re.DOTALL)[1]
    words = shlex.split(block.replace("\\\n", " "))[2:]
    words = [word.replace("=policy.yaml", f"={policy}").replace("charts/penstock", str(CHART)) for word in words]
    made = run(TOOLS / "helm", "template", *words).stdout
    texts = {item["metadata"]["name"]: item["data"] for item in of_kind(objects(made), "ConfigMap")}
    expect(texts.get("penstock-policy") == {"policy.yaml": policy.read_text()}, f"chart: README: {texts}")


def check_notes(programs, folder):
    """The command that NOTES prints puts into a pod what the values ask for."""
    copy = folder / "said"
    shutil.copytree(CHART, copy)
    (copy / "templates/NOTES.txt").rename(copy / "notes.txt")
    (copy / "templates/said.yaml").write_text(
        'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: said }\ndata: { text: {{ tpl (.Files.Get "notes.txt") . | quote }} }\n')
    ends = "config.settings.interception.authority=ephemeral,config.settings.interception.publish=/etc/penstock-trust"
    for value, is_watched, trust in (("false", False, []), ("true", True, []), ("false", False, ["--set", ends])):
        settings = ["--set", f"watcher.enabled={value}", *trust]
        made = run(TOOLS / "helm", "template", "release", copy, "--namespace", "agents", *settings).stdout
        text = next(item["data"]["text"] for item in of_kind(objects(made), "ConfigMap") if item["metadata"]["name"] == "said")
        command = text[text.index("penstock inject"):].replace("\\\n", " ").splitlines()[0].partition("|")[0]
        words = [SAMPLES / "pod.yaml" if word == "agent.yaml" else word for word in shlex.split(command)[1:]]
        made = run(programs / "penstock", *words).stdout
        check_guarded(f"NOTES, {' '.join(settings)}", made, is_watched, bool(trust))
        expect(("unwatched" in text) != is_watched, f"NOTES, watcher.enabled={value}: {text}")


def check_checkov(folder):
    print("==> checkov")
    run(TOOLS / "checkov", "--directory", folder, "--config-file", ROOT / "deploy/checkov.yaml")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="the folder of the built programs")
    programs = parser.parse_args().programs
    with tempfile.TemporaryDirectory(prefix="penstock-charts-") as name:
        folder = pathlib.Path(name)
        check_injected(programs / "penstock", folder)
        check_chart(programs, folder)
    if failures:
        print(f"charts: {len(failures)} failed")
        sys.exit(1)
    print("charts: all right")


main()
