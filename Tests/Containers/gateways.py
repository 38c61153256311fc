"""deploy/docker-compose.gateway.yaml under podman-compose: agents of another network, with the node as their gateway."""

import shutil
import subprocess

from compose import PROJECT, name, states
from guarded import Guarded
from node import ALLOWED, DENIED, ROOT, lab
from report import wait_until

NETWORK, SUBNET, GATEWAY, BUILDER, READER = "penstock-agents", "10.89.9.0/24", "10.89.9.1", "10.89.9.10", "10.89.9.11"
# The name that one of the agents alone may call.
OWN = f"sub.{ALLOWED}"


def compose(engine, folder, bridge, *words, timeout=120):
    tool = [ROOT / ".build/venv/bin/podman-compose", "-p", PROJECT, "-f", folder / "docker-compose.gateway.yaml"]
    environment = engine.environment | {"PENSTOCK_BRIDGE": bridge, "PENSTOCK_DNS": lab.DNS4}
    return subprocess.run([*engine.node, *tool, *words], env=environment, cwd=folder, capture_output=True, text=True, timeout=timeout)


def lay_out(engine):
    """A copy with the names of this world, and podman's own network, as the file's first lines say."""
    folder = engine.runtime / "gateway"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "deploy/compose", folder / "compose")
    services, _, rest = (ROOT / "deploy/docker-compose.gateway.yaml").read_text().partition("\nnetworks:\n")
    volumes = rest[rest.index("\nvolumes:\n"):]
    network = f"\nnetworks:\n  agents: {{ name: {NETWORK}, external: true }}\n"
    (folder / "docker-compose.gateway.yaml").write_text(services + network + volumes)
    policy = folder / "compose/gateway/policy/policy.yaml"
    policy.write_text(policy.read_text().replace("www.example.com", ALLOWED).replace("registry.example.com", OWN))
    configuration = folder / "compose/gateway/config/penstock.yaml"
    configuration.write_text(configuration.read_text() + f"dial: {{ resolvers: [{lab.DNS4}] }}\n")
    for place in (folder, *folder.rglob("*")):
        place.chmod(0o755 if place.is_dir() else 0o644)
    return folder


class Client(Guarded):
    """One of the agents; the daemon is the host's."""

    def is_ready(self):
        return self.node.curl("http://127.0.0.1:15890/readyz") == 200


def check(report, engine, node):
    report.title("deploy/docker-compose.gateway.yaml, by podman-compose")
    engine.podman("network", "create", "--disable-dns", "--subnet", SUBNET, NETWORK)
    bridge = engine.podman("network", "inspect", NETWORK, "--format", "{{.NetworkInterface}}").strip()
    folder = lay_out(engine)
    done = compose(engine, folder, bridge, "up", "-d")
    running = list(states(engine).values()).count("running")
    if not report.check(running == 4, "rules, daemon and two agents run", done.stderr + str(states(engine))):
        return
    builder, reader = (Client(engine, node, name(engine, each), name(engine, "penstockd")) for each in ("builder", "reader"))
    for client in (builder, reader):
        client.prepare()
    if not report.check(wait_until(builder.is_ready, 20), "the daemon becomes ready", builder.log()):
        return
    rules = engine.try_podman("logs", name(engine, "rules"))
    report.check(f"governed: what others send in by {bridge}" in rules.stdout + rules.stderr, "the agents' bridge is governed",
                 rules.stdout + rules.stderr)
    before = node.arrived(DENIED)
    builder.new_records()
    report.check(builder.curl(f"https://{OWN}/")[1] == 200, "allowed to one of them: TLS", builder.log())
    report.check(reader.curl(f"https://{OWN}/")[1] == 0, "denied to the other")
    records = [each for each in builder.new_records() if each["kind"] == "connection"]
    who = [(each["workload"].get("address"), each["decision"]) for each in records]
    report.check(who == [(BUILDER, "allow"), (READER, "deny")], "each is recorded under its own address", who)
    report.check(all(each.curl(f"https://{ALLOWED}/")[1] == 200 for each in (builder, reader)), "allowed to both")
    report.check(reader.curl(f"https://{DENIED}/")[1] == 0, "denied name")
    seen = reader.attempt("SOCK_DGRAM", "AF_INET", lab.SITES[DENIED][0], 443)
    # The refusal is an ICMP message, which only a connected socket is told of.
    report.check(seen != "answer" and node.arrived(DENIED) == before, "UDP to port 443 does not leave", seen)
    seen = reader.attempt("SOCK_STREAM", "AF_INET", GATEWAY, 15890)
    report.check(seen != "answer", "A13: the gateway's own services are closed", seen)
    engine.podman("kill", "--signal", "KILL", name(engine, "penstockd"))
    reader.attempt("SOCK_STREAM", "AF_INET", lab.SITES["bare.example"][0], 80)
    report.check(node.arrived("bare.example") == 0, "without the daemon nothing leaves", node.seen())
    report.check(node.arrived(DENIED) == before, "no packet came to the denied server", node.seen())
    compose(engine, folder, bridge, "down", "-t", "1")
    report.check(not states(engine), "and down again", states(engine))
