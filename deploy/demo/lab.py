#!/usr/bin/python3
"""A pod and a small outside world, in two network namespaces joined by a veth pair.

    lab.py [--name NAME] up                  make it
    lab.py [--name NAME] pod COMMAND…        run a command in the pod, as root
    lab.py [--name NAME] agent COMMAND…      run a command in the pod as the agent: UID 2000, no capabilities
    lab.py [--name NAME] world COMMAND…      run a command in the world
    lab.py [--name NAME] seen                what arrived in the world from the pod: packets by destination
    lab.py [--name NAME] down                end it, with every process in it

Several labs can stand side by side under different names. The world holds:

    allowed.example     203.0.113.10  2001:db8:113::10   nginx, TLS on 443 and plain on 80; on 8080 a WebSocket echo
    denied.example      203.0.113.20  2001:db8:113::20   the same, for the name that the demo's policy denies
    (no name)           203.0.113.30  2001:db8:113::30   the same for a bare address; on 22 a server that speaks first
    inside.example      203.0.113.40  2001:db8:113::40   nginx, and behind it an echo, an event stream and an MCP server
    (DNS)               203.0.113.53  2001:db8:113::53   dnsmasq, which answers for all of .example below
    (cloud metadata)    169.254.169.254                  nginx with a pretended secret; nothing must ever reach it

UDP to port 443 of any of these arrives at a sink that records it. Certificates come from a lab authority (ca.pem), which
takes the place of the public ones.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

POD4, WORLD4 = "198.51.100.2", "198.51.100.1"
POD6, WORLD6 = "2001:db8:1::2", "2001:db8:1::1"
DNS4, DNS6 = "203.0.113.53", "2001:db8:113::53"
METADATA = "169.254.169.254"
SITES = {
    "allowed.example": ("203.0.113.10", "2001:db8:113::10"),
    "denied.example": ("203.0.113.20", "2001:db8:113::20"),
    "bare.example": ("203.0.113.30", "2001:db8:113::30"),  # a certificate needs a name; DNS does not know this one
    "inside.example": ("203.0.113.40", "2001:db8:113::40"),
}
# Names beside the sites' own, and what DNS says of them.
NAMES = {
    "v6only.example": ["2001:db8:113::10"],
    "www.allowed.example": ["203.0.113.10", "2001:db8:113::10"],
    "unlisted.example": ["203.0.113.20", "2001:db8:113::20"],
    # Below an allowed name, but pointing where nobody outside may point: DNS rebinding.
    "loopback.allowed.example": ["127.0.0.1", "::1"],
    "metadata.allowed.example": [METADATA],
}
# What inside.example has beside its page: served by services.py, reached through nginx.
SERVICES = """
        proxy_http_version 1.1; proxy_buffering off;
        location = /echo { proxy_pass http://127.0.0.1:8080; proxy_set_header Upgrade $http_upgrade;
                           proxy_set_header Connection upgrade; }
        location = /events { proxy_pass http://127.0.0.1:8090; }
        location = /mcp { proxy_pass http://127.0.0.1:8090; }"""
AGENT_UID = 2000
HERE = pathlib.Path(__file__).resolve().parent


def run(*command, **options):
    """Runs a command that must succeed; its own words are shown where it does not."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"lab: {' '.join(map(str, command))}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def state_root():
    """A folder that only root can write to, and from which programs may be run: some systems mount /run noexec."""
    for folder in ("/run", "/var/lib"):
        if os.path.isdir(folder) and not os.statvfs(folder).f_flag & os.ST_NOEXEC:
            return pathlib.Path(folder)
    raise SystemExit("lab: neither /run nor /var/lib lets programs run")


class Lab:
    """One lab, by name: its namespaces, its folder, its servers."""

    def __init__(self, name):
        self.name = name
        self.pod, self.world = f"{name}-pod", f"{name}-world"
        self.folder = state_root() / name
        self.ca = self.folder / "ca.pem"
        # What the agent trusts: the above, and what whoever intercepts adds to it.
        self.trust = self.folder / "trust.pem"
        self.resolver = pathlib.Path("/etc/netns") / self.pod  # what `ip netns exec` lays over /etc

    # What is run where.

    def in_pod(self, *command):
        """`nsenter` and not `ip netns exec`: the latter mounts a fresh /sys, which hides the cgroups."""
        return ["nsenter", f"--net=/run/netns/{self.pod}", "--", *map(str, command)]

    def in_world(self, *command):
        return ["nsenter", f"--net=/run/netns/{self.world}", "--", *map(str, command)]

    def as_agent(self, *command, at=0):
        """The agent, of which a pod has one: a user without capabilities that cannot gain any, with the pod's own resolv.conf."""
        return ["ip", "netns", "exec", self.pod, *unprivileged(AGENT_UID), *map(str, command)]

    def agent_environment(self):
        """Where the agent's clients find what they trust, each in its own way; and no proxy settings at all."""
        kept = {key: os.environ[key] for key in ("PATH", "TERM", "LANG", "COLORTERM") if key in os.environ}
        trust = str(self.trust)
        return kept | {
            "HOME": str(self.folder / "home"),
            "CURL_CA_BUNDLE": trust, "SSL_CERT_FILE": trust, "NODE_EXTRA_CA_CERTS": trust,
            "REQUESTS_CA_BUNDLE": trust, "GIT_SSL_CAINFO": trust,
        }

    # Up and down.

    def up(self):
        if self.exists():
            raise SystemExit(f"lab: '{self.name}' is up already; lab.py --name {self.name} down")
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.folder.chmod(0o755)
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        os.chown(home, AGENT_UID, AGENT_UID)
        try:
            self.make_namespaces()
            self.make_resolver()
            self.make_certificates()
            self.count_arrivals()
            self.start_servers()
        except BaseException:
            self.down()
            raise

    def exists(self):
        return any(os.path.exists(f"/run/netns/{name}") for name in (self.pod, self.world))

    def down(self):
        """Ends every process in the two namespaces, which are ours alone, then the namespaces and the folder."""
        for name in (self.pod, self.world):
            if not os.path.exists(f"/run/netns/{name}"):
                continue
            end_processes(name)
            subprocess.run(["ip", "netns", "del", name], check=False)
        shutil.rmtree(self.resolver, ignore_errors=True)
        try:
            self.resolver.parent.rmdir()
        except OSError:
            pass  # other namespaces have theirs there, or it never was
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_namespaces(self):
        for name in (self.pod, self.world):
            run("ip", "netns", "add", name)
            # Before the interfaces are there: duplicate address detection would hold every IPv6 address back for a second.
            run("nsenter", f"--net=/run/netns/{name}", "--", "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0",
                "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.all.disable_ipv6=0",
                "net.ipv6.conf.default.disable_ipv6=0")
        run("ip", "-n", self.pod, "link", "add", "eth0", "type", "veth", "peer", "name", "pod0", "netns", self.world)
        for name, device, addresses in (
            (self.pod, "eth0", (f"{POD4}/24", f"{POD6}/64")),
            (self.world, "pod0", (f"{WORLD4}/24", f"{WORLD6}/64")),
        ):
            run("ip", "-n", name, "link", "set", "lo", "up")
            run("ip", "-n", name, "link", "set", device, "up")
            for address in addresses:
                self.add_address(name, device, address)
        run("ip", "-n", self.pod, "route", "add", "default", "via", WORLD4)
        run("ip", "-n", self.pod, "-6", "route", "add", "default", "via", WORLD6)
        for pair in (*SITES.values(), (DNS4, DNS6), (METADATA,)):
            for address in pair:
                self.add_address(self.world, "lo", address + ("/128" if ":" in address else "/32"))

    @staticmethod
    def add_address(namespace, device, address):
        run("ip", "-n", namespace, "address", "add", address, "dev", device, *(["nodad"] if ":" in address else []))

    def make_resolver(self):
        self.resolver.mkdir(parents=True, exist_ok=True)
        (self.resolver / "resolv.conf").write_text(f"nameserver {DNS4}\noptions timeout:1 attempts:1\n")
        (self.resolver / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
        (self.resolver / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")

    def make_certificates(self):
        """An authority for this lab alone, and one certificate a site; the keys never leave its folder."""
        key = self.folder / "ca.key"
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30")
        run("openssl", "req", "-x509", *curve, "-keyout", key, "-out", self.ca, "-subj", "/CN=Penstock lab authority",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        for name, addresses in SITES.items():
            other = [alias for alias, points in NAMES.items() if addresses[1] in points]
            if name == "allowed.example":
                other.append("*.allowed.example")
            subjects = [f"DNS:{each}" for each in (name, *other)] + [f"IP:{each}" for each in addresses]
            run("openssl", "req", "-x509", *curve, "-keyout", self.folder / f"{name}.key",
                "-out", self.folder / f"{name}.pem", "-subj", f"/CN={name}", "-CA", self.ca, "-CAkey", key,
                "-addext", f"subjectAltName={','.join(subjects)}", "-addext", "basicConstraints=critical,CA:FALSE",
                "-addext", "extendedKeyUsage=serverAuth")
        for secret in self.folder.glob("*.key"):
            secret.chmod(0o600)
        shutil.copyfile(self.ca, self.trust)

    def count_arrivals(self):
        """Counts what comes in from the pod, by destination, before anything in the world can refuse it."""
        run(*self.in_world("nft", "-f", "-"), input="""
            table inet arrivals {
                set seen4 { type ipv4_addr . inet_proto . inet_service; size 65535; flags dynamic; counter; }
                set seen6 { type ipv6_addr . inet_proto . inet_service; size 65535; flags dynamic; counter; }
                chain arrivals { type filter hook prerouting priority -300; policy accept;
                    iifname "pod0" meta l4proto { tcp, udp } update @seen4 { ip daddr . meta l4proto . th dport }
                    iifname "pod0" meta l4proto { tcp, udp } update @seen6 { ip6 daddr . meta l4proto . th dport }
                }
            }""")

    def start_servers(self):
        self.start_nginx()
        self.start_dnsmasq()
        with open(self.folder / "services.log", "w") as log:
            subprocess.Popen(
                self.in_world("/usr/bin/python3", HERE / "services.py", self.folder / "datagrams.txt"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wanted = {("tcp", 22), ("tcp", 80), ("tcp", 443), ("tcp", 8080), ("tcp", 8090), ("udp", 53), ("udp", 443)}
        deadline = time.monotonic() + 10
        while missing := wanted - self.listening():
            if time.monotonic() > deadline:
                raise SystemExit(f"lab: nothing listens in the world on {sorted(missing)}; see {self.folder}")
            time.sleep(0.05)

    def listening(self):
        found = set()
        for line in run(*self.in_world("ss", "-Hlntu")).splitlines():
            protocol, _, _, _, local, *_ = line.split()
            found.add((protocol, int(local.rsplit(":", 1)[1])))
        return found

    def start_nginx(self):
        servers = []
        for name, (four, six) in SITES.items():
            servers.append(f"""
    server {{
        listen {four}:80; listen [{six}]:80; listen {four}:443 ssl; listen [{six}]:443 ssl;
        ssl_certificate {self.folder}/{name}.pem; ssl_certificate_key {self.folder}/{name}.key;
        location / {{ return 200 "{name} at $server_addr\\n"; }}{SERVICES if name == "inside.example" else ""}
    }}""")
        config = self.folder / "nginx.conf"
        config.write_text(f"""
pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log; user nobody nogroup; worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log {self.folder}/access.log; default_type text/plain; keepalive_timeout 5s;
    client_body_temp_path {self.folder}/nginx-body; proxy_temp_path {self.folder}/nginx-proxy;
    fastcgi_temp_path {self.folder}/nginx-fastcgi; uwsgi_temp_path {self.folder}/nginx-uwsgi;
    scgi_temp_path {self.folder}/nginx-scgi;{"".join(servers)}
    server {{ listen {METADATA}:80; location / {{ return 200 "a secret of the metadata service\\n"; }} }}
}}
""")
        # Its own error_log comes too late for what it says while it reads the configuration: -e.
        run(*self.in_world("nginx", "-e", self.folder / "nginx.log", "-c", config))

    def start_dnsmasq(self):
        records = {name: addresses for name, addresses in SITES.items() if name != "bare.example"} | NAMES
        config = self.folder / "dnsmasq.conf"
        config.write_text("\n".join([
            "no-resolv", "no-hosts", f"pid-file={self.folder}/dnsmasq.pid",
            "bind-interfaces", f"listen-address={DNS4},{DNS6}", "user=nobody", "local=/example/", "local=/invalid/", "local-ttl=30",
            "log-queries", f"log-facility={self.folder}/dns.log",
            *(f"host-record={name},{','.join(addresses)}" for name, addresses in records.items()),
        ]) + "\n")
        run(*self.in_world("dnsmasq", f"--conf-file={config}"))

    # What the world saw.

    def seen(self):
        """Packets that came from the pod, by (address, protocol, port)."""
        found = {}
        for name in ("seen4", "seen6"):
            listing = json.loads(run(*self.in_world("nft", "-j", "list", "set", "inet", "arrivals", name)))
            for item in listing["nftables"]:
                for element in item.get("set", {}).get("elem", []):
                    address, protocol, port = element["elem"]["val"]["concat"]
                    found[(address, str(protocol), int(port))] = element["elem"]["counter"]["packets"]
        return found


def unprivileged(uid, kept=()):
    """The words before a command that make it run as `uid`, its group of the same number, and nothing but `kept` capabilities."""
    sets = ",".join(["-all", *(f"+{capability}" for capability in kept)])
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", f"--inh-caps={sets}", f"--ambient-caps={sets}",
            f"--bounding-set={sets}", "--no-new-privs"]


def end_processes(namespace):
    """Asks every process in a namespace to end, then makes it."""
    for number, patience in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
        deadline = time.monotonic() + patience
        pids = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True).stdout.split()
        for pid in pids:
            try:
                os.kill(int(pid), number)
            except ProcessLookupError:
                pass
        while pids and time.monotonic() < deadline:
            time.sleep(0.05)
            pids = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True).stdout.split()
        if not pids:
            return


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", default="penstock-lab")
    parser.add_argument("verb", choices=["up", "down", "pod", "agent", "world", "seen"])
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("lab: network namespaces need root")
    lab = Lab(arguments.name)
    prefixes = {"pod": lab.in_pod, "agent": lab.as_agent, "world": lab.in_world}
    if arguments.verb in prefixes:
        command = prefixes[arguments.verb](*arguments.command)
        if arguments.verb == "agent":
            os.execvpe(command[0], command, lab.agent_environment())
        os.execvp(command[0], command)
    elif arguments.verb == "seen":
        for (address, protocol, port), packets in sorted(lab.seen().items()):
            print(f"{packets:6} {protocol:4} {address} {port}")
    else:
        getattr(lab, arguments.verb)()


if __name__ == "__main__":
    main()
