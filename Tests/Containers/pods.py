"""deploy/pod-classic.yaml under podman: what the agent can reach, what is recorded, and what happens when the daemon dies."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

import watched
from guarded import Guarded, beside
from node import ALLOWED, DENIED, NETWORK, ROOT, lab
from report import wait_until

SILENT = ("EPERM", "EACCES", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "silence")


def as_a_kubelet(text, pod):
    """Podman 4 has no Downward API for these fields and expands no $(NAME): this does it in its place, and nothing else."""
    text = re.sub(r"^ *env:\n(?: *- \{ name: [A-Z_]+, valueFrom: .*\n)+", "", text, flags=re.MULTILINE)
    for name, value in (("POD_NAMESPACE", "agents"), ("POD_NAME", pod), ("SERVICE_ACCOUNT", "default")):
        if text.count(f"$({name})") != 1:
            raise SystemExit(f"e2e: deploy/pod-classic.yaml no longer says $({name}) once")
        text = text.replace(f"$({name})", value)
    return text


def play(engine, text):
    place = engine.runtime / "pod.yaml"
    place.write_text(text)
    return engine.try_podman("play", "kube", "--network", NETWORK, place)


def check_pod(report, engine, node):
    report.title("deploy/pod-classic.yaml with its watcher, played by podman")
    text = as_a_kubelet(watched.with_watcher((ROOT / "deploy/pod-classic.yaml").read_text()), "guarded-agent")
    played = play(engine, text)
    if not report.check(played.returncode == 0, "the pod starts", played.stderr):
        return
    pod = Guarded(engine, node, "guarded-agent-agent", "guarded-agent-penstockd")
    pod.prepare()
    if not report.check(pod.wait_until_ready(), "the daemon becomes ready, asked from the node", pod.log()):
        return
    check_confinement(report, engine, pod)
    check_probes(report, pod)
    watch = watched.Watched(pod, "guarded-agent-penstock-watch")
    watched.check(report, watch)
    watched.stop(report, watch)
    check_traffic(report, pod)
    check_policy_swap(report, pod)
    watched.check_silence(report, watch)
    check_kill(report, pod)
    check_absence(report, engine, pod)
    report.check(wait_until(lambda: watch.rules() == ("ok", "verified"), 15), "the watcher finds each new daemon", watch.posture())
    check_world(report, pod)
    report.check(*verify(engine, pod.agent, "at the end the kernel's rules are as they were installed"))
    engine.podman("pod", "rm", "--force", "--time", "2", "guarded-agent")


def verify(engine, member, name):
    """Whether `penstock-init verify` finds the rules whole, from a container of its own in the member's namespace."""
    done = beside(engine, member, "penstock-init", "verify", *watched.SAME_FLAGS, capabilities=["NET_ADMIN"])
    return done.returncode == 0 and "posture: strong" in done.stdout, name, done.stdout + done.stderr


def check_confinement(report, engine, pod):
    status = pod.status()
    none = "0" * 16
    report.check(all(status[f"Cap{each}"] == none for each in ("Inh", "Prm", "Eff", "Bnd", "Amb")),
                 "the daemon has no capability, and none to be had", status)
    report.check(status["Uid"].split() == status["Gid"].split() == ["10880"] * 4 and set(status["Groups"].split()) <= {"10880"},
                 "the daemon has the user and the group 10880", status)
    report.check(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", "no new privileges, and a seccomp filter", status)
    roots = [line.split() for line in pathlib.Path(f"/proc/{pod.pid()}/mountinfo").read_text().splitlines()]
    root = next(fields for fields in roots if fields[4] == "/")
    report.check("ro" in root[5].split(","), "its root is read-only", root)
    report.check(*verify(engine, pod.agent, "the kernel's rules are as planned, and the posture is strong"))
    seen = pod.do("sh", "-c", "ls /var/log/penstock /etc/penstock 2>&1; id -u; grep CapEff /proc/self/status; "
                              "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)' 2>&1 | tail -1")
    report.check("PermissionError" in seen.stdout and none in seen.stdout and "audit.jsonl" not in seen.stdout,
                 "the agent has no capability, opens no raw socket and sees none of the daemon's files", seen.stdout)


def check_probes(report, pod):
    address = pod.pod_address
    report.check(pod.node.curl(f"http://{address}:15890/healthz") == 200, "kubelet-style HTTP probe of /healthz")
    report.check(pod.node.curl(f"http://{address}:15890/readyz") == 200, "kubelet-style HTTP probe of /readyz")
    report.check(pod.node.connects(address, "15890"), "kubelet-style TCP probe of the daemon")
    report.check(pod.node.connects(address, "8080"), "kubelet-style TCP probe of the agent's declared port")
    open_ones = [port for port in ("8081", "15880", "15881", "15853", "9000") if pod.node.connects(address, port)]
    report.check(not open_ones, "nothing else of the pod answers to the node", open_ones)
    metrics = subprocess.run(pod.node.in_pod("curl", "-s", "--noproxy", "*", "-m", "3", f"http://{address}:15890/metrics"),
                             capture_output=True, text=True).stdout
    named = set(re.findall(r"penstock_[a-z_]+", (ROOT / "deploy/alerts.yaml").read_text()))
    missing = [name for name in sorted(named) if not re.search(rf"^(# TYPE )?{name}\b", metrics, re.MULTILINE)]
    report.check(named and not missing, "the daemon has every metric that the alerts ask for", missing)


def check_traffic(report, pod):
    """Each attempt by what the agent saw, by the record, and by the packets that came to the world."""
    arrived = pod.node.arrived
    pod.new_records()
    for flag, family in (("-4", "IPv4"), ("-6", "IPv6")):
        exit_status, http, said = pod.curl(flag, f"https://{ALLOWED}/")
        report.check((exit_status, http) == (0, 200), f"allowed: TLS over {family}", said)
    report.check(pod.curl(f"http://{ALLOWED}/")[1] == 200, "allowed: plain HTTP")
    records = pod.new_records()
    allowed = [r for r in records if r["kind"] == "connection" and r["decision"] == "allow" and r.get("sni") == ALLOWED]
    who = allowed[0]["workload"] if allowed else None
    report.check(len(allowed) == 2 and all(r["rule"] == "example" for r in allowed), "recorded: allowed, by rule and name", records)
    report.check(who == {"namespace": "agents", "pod": "guarded-agent", "service_account": "default", "uid": 2000},
                 "recorded: namespace, pod, service account and user of the agent", who)
    for flag, family in (("-4", "IPv4"), ("-6", "IPv6")):
        refused(report, pod, f"denied name over TLS, {family}", "default_deny", flag, f"https://{DENIED}/")
    status, http, _ = pod.curl(f"http://{DENIED}/")
    report.check((status, http) == (0, 403), "denied: plain HTTP is answered 403")
    refused(report, pod, "the metadata service by its address", "default_deny", "http://169.254.169.254/latest/")
    refused(report, pod, "the metadata service by an allowed name", "special_address", "http://metadata.example.com/")
    report.check(arrived(DENIED) == 0 and arrived(lab.METADATA) == 0, "no packet came to the denied server or the metadata service",
                 pod.node.seen())
    for family, address in (("AF_INET", lab.SITES[DENIED][0]), ("AF_INET6", lab.SITES[DENIED][1])):
        seen = pod.attempt("SOCK_DGRAM", family, address, 443)
        report.check(seen in SILENT[:5], f"UDP to port 443 is refused at once, {family}", seen)
    seen = pod.attempt("SOCK_DGRAM", "AF_INET", lab.SITES[DENIED][0], 53)
    report.check(seen in SILENT[:5], "UDP to a resolver of the agent's choice is refused", seen)
    by_udp = {key: count for key, count in pod.node.seen().items() if key[1] in ("udp", "17") and key[2] != 53}
    report.check(not by_udp, "no datagram came to the world but questions to its resolver", by_udp)


def refused(report, pod, name, reason, *words):
    pod.new_records()
    exit_status, http, said = pod.curl(*words)
    records = []

    def is_recorded():
        records.extend(pod.new_records())
        return any(r.get("decision") == "deny" and r["reason"] == reason for r in records)

    found = wait_until(is_recorded)
    report.check((exit_status != 0 or http >= 400) and found, f"denied and recorded: {name}", f"{exit_status} {http} {said} {records}")


# The policy.

POLICY = """apiVersion: penstock/v1
kind: EgressPolicy
name: {name}
default: deny
rules:
  - {{ name: first, match: {{ hosts: [{hosts}] }}, action: allow }}
"""


class ConfigMapFolder:
    """A kubelet's way with a mounted ConfigMap: files are links through `..data`, which is renamed over as a whole.

    Nobody tells the daemon: it must notice by itself.
    """

    def __init__(self, folder):
        self.folder, self.count = folder, 0
        for entry in folder.iterdir():
            entry.unlink()

    def swap(self, text):
        self.count += 1
        version = self.folder / f"..2026_11_21_{self.count}"
        version.mkdir(mode=0o755)
        (version / "policy.yaml").write_text(text)
        link = self.folder / "..data_tmp"
        link.symlink_to(version.name)
        os.replace(link, self.folder / "..data")
        visible = self.folder / "policy.yaml"
        if not visible.is_symlink():
            visible.symlink_to("..data/policy.yaml")


def check_policy_swap(report, pod):
    report.title("a policy that changes through the symlink swap of a ConfigMap")
    folder = ConfigMapFolder(pod.volume("/etc/penstock/policy"))

    def is_loaded():
        return any(r["kind"] == "policy" and r["event"] == "loaded" for r in pod.new_records())

    before = pod.node.arrived(DENIED)
    for hosts, name, works in ((f"{ALLOWED}, {DENIED}", "wider", True), (ALLOWED, "narrower", False)):
        pod.new_records()
        folder.swap(POLICY.format(name=name, hosts=hosts))
        report.check(wait_until(is_loaded), f"the swap to the {name} policy is noticed and recorded", pod.log())
        exit_status, http, said = pod.curl(f"https://{DENIED}/")
        report.check((http == 200) == works, f"the {name} policy is in force", f"{exit_status} {http} {said}\n{pod.log()}")
        if works:
            report.check(pod.node.arrived(DENIED) > before, "and what it allows comes to the world")
            pod.reached_denied = pod.node.arrived(DENIED)
    folder.swap("apiVersion: penstock/v1\nkind: EgressPolicy\nname: broken\nrulse: []\n")
    report.check(wait_until(lambda: not pod.is_ready()), "a policy that does not load makes the pod unready")
    stays = pod.curl(f"https://{ALLOWED}/")[1] == 200 and pod.curl(f"https://{DENIED}/")[1] != 200
    report.check(stays, "and the old one stays in force")
    folder.swap(POLICY.format(name="mended", hosts=ALLOWED))
    report.check(pod.wait_until_ready(), "mended, the pod is ready again")
    pod.reached_denied = pod.node.arrived(DENIED)


# The daemon away.

KNOCKING = """
import select, socket, sys, time
end, served, cut = time.time() + 120, 0, 0
# Until somebody says that it is enough.
while time.time() < end and not select.select([sys.stdin], [], [], 0.002)[0]:
    for host in sys.argv[1:]:
        s = socket.socket(); s.settimeout(2)
        try:
            s.connect((host, 80))
            s.sendall(b"GET /knock HTTP/1.1\\r\\nHost: example.com\\r\\nConnection: close\\r\\n\\r\\n")
            if s.recv(99).startswith(b"HTTP/1.1 200"): served += 1
            else: cut += 1
        except OSError: cut += 1
        s.close()
print(served, cut)
"""

HOLDING = """
import socket
s = socket.create_connection(("example.com", 80), 120)
s.sendall(b"GET / HTTP/1.1\\r\\nHost: example.com\\r\\n\\r\\n")
print(s.recv(9999)[9:12].decode(), flush=True)
try: print(len(s.recv(1)))
except ConnectionResetError: print(0)
"""


def in_agent(pod, program, *words):
    return subprocess.Popen([*pod.engine.node, "podman", "exec", "-i", pod.agent, "python3", "-c", program, *words],
                            env=pod.engine.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def check_kill(report, pod):
    """The agent knocks all the while, with an allowed name, at that server's address and at another's."""
    report.title("kill -9 of the daemon")
    log = pod.node.folder / "access.log"

    def count():
        return log.read_text().count("GET /knock")

    pod.new_records()
    before = count()
    pid = pod.pid()
    doors = lab.SITES["allowed.example"][0], lab.SITES["bare.example"][0]
    knocking = in_agent(pod, KNOCKING, *doors)
    holding = in_agent(pod, HOLDING)
    held = holding.stdout.readline().strip() == "200"
    report.check(held and wait_until(lambda: count() >= before + 10), "the agent is served", pod.log())
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    back = wait_until(lambda: pod.pid() not in (0, pid) and pod.is_ready(), 30)
    report.check(back, f"it comes back by itself and is ready ({time.monotonic() - killed:.1f} s)", pod.log())
    after = count()
    again = wait_until(lambda: count() >= after + 10)
    answer = knocking.communicate("enough", timeout=60)[0].split()
    served, cut = (int(word) for word in answer) if len(answer) == 2 else (0, 0)
    report.check(again and cut > 0, f"the agent was served before and after, and cut off in between ({served} and {cut} times)")
    report.check(holding.communicate(timeout=60)[0].strip() == "0", "a connection that was open is cut, not continued past the daemon")
    # The record of a request is written before anything of it comes to the world.
    reached = count() - before
    records = pod.new_records()
    allows = sum(r["kind"] == "request" and r["decision"] == "allow" and r["path"] == "/knock" for r in records)
    report.check(0 < reached <= allows, f"each of the {reached} requests that came to the world has its record ({allows})", records[-3:])
    report.check(pod.node.arrived("bare.example") == 0, "nothing came to the other server, daemon or not", pod.node.seen())
    report.check(any(r["kind"] == "connection_end" and r["outcome"] == "lost" for r in records), "what was open is recorded as lost")
    status = pod.status()
    report.check(status["CapEff"] == "0" * 16 and status["Uid"].split()[0] == "10880", "the new one is confined as the first was")


SQUAT = """
import socket, threading, time
ports = {"15880": "127.0.0.1", "15881": "127.0.0.1", "8081": "127.0.0.1", "15890": "0.0.0.0"}
held = []
for port, address in ports.items():
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, int(port))); s.listen(9); held.append(s)
def serve(s):
    while True:
        c, _ = s.accept()
        try: c.recv(999); c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nready"); c.close()
        except OSError: pass
for s in held: threading.Thread(target=serve, args=[s], daemon=True).start()
print("ready", flush=True)
time.sleep(60)
"""


def check_absence(report, engine, pod):
    report.title("the daemon stopped, and the agent in its place")
    address = pod.pod_address
    started = time.monotonic()
    engine.podman("stop", "--time", "30", pod.daemon)
    took = time.monotonic() - started
    code = engine.inspect(pod.daemon)["State"]["ExitCode"]
    report.check(code == 0, f"as PID 1 it ends at once when told to, with status 0 ({took:.1f} s)", code)
    seen = [pod.attempt("SOCK_STREAM", "AF_INET", lab.SITES["allowed.example"][0], 443),
            pod.attempt("SOCK_STREAM", "AF_INET6", lab.SITES["allowed.example"][1], 443)]
    report.check(seen == ["ECONNREFUSED"] * 2, "while it is away what the agent opens is refused at once", seen)
    squatter = subprocess.Popen([*engine.node, "podman", "exec", "-i", pod.agent, "python3", "-c", SQUAT], env=engine.environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    report.check(squatter.stdout.readline().strip() == "ready", "A37: the agent listens on the daemon's ports")
    report.check(pod.node.curl(f"http://{address}:15890/readyz") == 0, "A37: its answer to a kubelet's probe does not leave the pod")
    seen = pod.attempt("SOCK_STREAM", "AF_INET", lab.SITES["allowed.example"][0], 80)
    report.check(seen in SILENT, "A37: it does not answer for the world either", seen)
    engine.podman("start", pod.daemon)
    named = wait_until(lambda: "held by UID 2000" in pod.log(), 15)
    report.check(named and not pod.is_ready(), "A37: the daemon waits for its ports and names who holds them", pod.log())
    pod.do("python3", "-c", "import os, signal\nfor p in os.listdir('/proc'):\n  if p.isdigit() and int(p) not in (1, os.getpid()):\n"
                            "    if b'15881' in open(f'/proc/{p}/cmdline', 'rb').read(): os.kill(int(p), signal.SIGKILL)")
    squatter.wait(timeout=20)
    report.check(pod.wait_until_ready(20), "A37: with the ports free it takes over", pod.log())
    report.check(pod.curl(f"https://{ALLOWED}/")[1] == 200, "and the agent is served again")


def check_world(report, pod):
    """By the world's count, over all of the above: where anything from the pod ever arrived."""
    seen = pod.node.seen()
    expected = {(address, port) for address in lab.SITES["allowed.example"] for port in (80, 443)}
    expected |= {(lab.DNS4, 53)} | {(address, 443) for address in lab.SITES[DENIED]}
    others = {key: count for key, count in seen.items() if (key[0], key[2]) not in expected}
    report.check(not others, "nothing ever arrived in the world but at what a policy allowed", others)
    report.check(pod.node.arrived(DENIED) == pod.reached_denied,
                 "nothing more came to the denied server since the policy that allowed it was taken back", seen)


# An init that fails.

def check_failing_init(report, engine, node):
    report.title("an init container that fails")
    text = as_a_kubelet((ROOT / "deploy/pod-classic.yaml").read_text(), "unguarded")
    for old, new in (("name: guarded-agent\n", "name: unguarded\n"), (", add: [NET_ADMIN]", ""),
                     ("restartPolicy: OnFailure", "restartPolicy: Never")):
        if old not in text:
            raise SystemExit(f"e2e: deploy/pod-classic.yaml no longer says {old!r}")
        text = text.replace(old, new)
    seen = node.seen()
    engine.try_podman("volume", "rm", "--all", "--force")
    played = play(engine, text)
    found = json.loads(engine.podman("ps", "--all", "--format", "json", "--filter", "name=unguarded"))
    states = {container["Names"][0]: container["State"] for container in found}
    report.check(played.returncode != 0, "A08: a pod whose init has no NET_ADMIN does not start", played.stderr)
    running = [name for name in ("unguarded-agent", "unguarded-penstockd") if states.get(name) == "running"]
    report.check(not running, "A08: neither the agent nor the daemon runs", states)
    report.check(node.seen() == seen, "A08: nothing came to the world")
    engine.try_podman("pod", "rm", "--force", "--time", "0", "unguarded")
