"""A node with a small outside world: two network namespaces of this run's own.

The world is the demonstration's (deploy/demo/lab.py): nginx with TLS, a DNS server, a metadata service, and a count of every
packet that arrives. In place of its pod stands the node, in which podman makes its bridge and its pods.
"""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "demo"))

import lab  # noqa: E402  (found through the line above)

NETWORK = "penstock-e2e"
ALLOWED, DENIED = "example.com", "denied.example"
# The name that the manifests' policy allows stands for the world's allowed server.
lab.NAMES[ALLOWED] = list(lab.SITES["allowed.example"])
lab.NAMES["sub.example.com"] = list(lab.SITES["allowed.example"])
lab.NAMES["metadata.example.com"] = [lab.METADATA]


class Node(lab.Lab):
    resolver_address = lab.DNS4

    @property
    def enter(self):
        return self.in_pod()

    def up(self):
        super().up()
        # Masqueraded by podman's bridge, so the world needs no way back to the pods.
        for name in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            lab.run(*self.in_pod("sysctl", "-qw", f"{name}=1"))

    def make_network(self, engine):
        engine.podman("network", "create", "--ipv6", "--disable-dns", "--subnet", "10.99.77.0/24",
                      "--subnet", "fd99:77::/64", NETWORK)

    def curl(self, *words):
        """As a kubelet would ask: from the node. The HTTP status, or 0 where there was no answer."""
        done = subprocess.run(self.in_pod("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-m", "3", "--noproxy",
                                          "*", *words), capture_output=True, text=True)
        return int(done.stdout or 0)

    def connects(self, address, port):
        """As a kubelet's tcpSocket probe."""
        program = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).close()"
        return subprocess.run(self.in_pod("/usr/bin/python3", "-c", program, address, port),
                              capture_output=True).returncode == 0

    def arrived(self, site, protocol=None, port=None):
        """How many packets came from the pods for one of the world's sites, or for an address."""
        addresses = lab.SITES.get(site) or (site,)
        return sum(packets for (address, by, to), packets in self.seen().items()
                   if address in addresses and protocol in (None, by) and port in (None, to))
