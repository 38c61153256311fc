"""The lab with a router in it: the gate stands on the router, and the agents are on two clients behind its bridge.

What is the pod in the other modes is the router here. Each client has an address of its own, which is who it is: the records
say it, and the policy tells them apart by it.
"""

import dataclasses
import os
import shutil
import subprocess

import agent
import gate as gate_module
import lab as lab_module
from lab import run

BRIDGE = "agents0"
# The bridge's own addresses, and the clients'.
HERE = ("10.88.0.1", "2001:db8:88::1")
CLIENTS = (("10.88.0.2", "2001:db8:88::2"), ("10.88.0.3", "2001:db8:88::3"))
POLICY = f"""
  # Behind a gateway agents are told apart by their address: the second one may not go there.
  - name: first-alone
    match: {{ hosts: [inside.example], workload: {{ addresses: [{CLIENTS[1][0]}, "{CLIENTS[1][1]}"] }} }}
    action: deny
"""


class GatewayLab(lab_module.Lab):
    def __init__(self, name):
        super().__init__(name)
        self.clients = [f"{name}-client{number}" for number in (1, 2)]

    def as_agent(self, *command, at=0):
        """An agent on one of the clients: a user without capabilities, with the client's own resolv.conf."""
        return ["ip", "netns", "exec", self.clients[at], *lab_module.unprivileged(lab_module.AGENT_UID), *map(str, command)]

    def exists(self):
        return super().exists() or any(os.path.exists(f"/run/netns/{name}") for name in self.clients)

    def make_namespaces(self):
        super().make_namespaces()
        run("ip", "-n", self.pod, "link", "add", BRIDGE, "type", "bridge")
        for address in (f"{HERE[0]}/24", f"{HERE[1]}/64"):
            self.add_address(self.pod, BRIDGE, address)
        run("ip", "-n", self.pod, "link", "set", BRIDGE, "up")
        # It forwards: that nothing gets through without the daemon is not for want of that.
        run(*self.in_pod("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"))
        for number, (name, addresses) in enumerate(zip(self.clients, CLIENTS)):
            self.make_client(name, f"port{number}", addresses)
        run("ip", "-n", self.world, "route", "add", "10.88.0.0/24", "via", lab_module.POD4)
        run("ip", "-n", self.world, "-6", "route", "add", "2001:db8:88::/64", "via", lab_module.POD6)

    def make_client(self, name, port, addresses):
        run("ip", "netns", "add", name)
        run("ip", "-n", self.pod, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "-n", self.pod, "link", "set", port, "master", BRIDGE, "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        for address, length in zip(addresses, (24, 64)):
            self.add_address(name, "eth0", f"{address}/{length}")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "route", "add", "default", "via", HERE[0])
        run("ip", "-n", name, "-6", "route", "add", "default", "via", HERE[1])

    def make_resolver(self):
        own = self.resolver
        for name in self.clients:
            self.resolver = own.with_name(name)
            super().make_resolver()
        self.resolver = own

    def down(self):
        for name in self.clients:
            if os.path.exists(f"/run/netns/{name}"):
                lab_module.end_processes(name)
                subprocess.run(["ip", "netns", "del", name], check=False)
            shutil.rmtree(self.resolver.with_name(name), ignore_errors=True)
        super().down()


class GatewayGate(gate_module.Gate):
    def place_files(self):
        super().place_files()
        at = f'addresses: [{HERE[0]}, "{HERE[1]}"]'
        self.change("penstock.yaml", gate_module.TRANSPARENT[0],
                    f"transparent: {{ port: 15880, {at} }}\n  explicit: {{ port: 15881, {at} }}")
        policy = self.lab.folder / "policy.yaml"
        policy.write_text(policy.read_text() + POLICY)

    def change(self, name, text, other):
        file = self.lab.folder / name
        if file.read_text().count(text) != 1:
            raise SystemExit(f"run: {name} no longer says {text} once")
        file.write_text(file.read_text().replace(text, other))

    def install_rules(self):
        self.init("install", f"--gateway={BRIDGE}", f"--proxy-uid={gate_module.PROXY_UID}",
                  f"--proxy-gid={gate_module.PROXY_UID}", f"--dns-server={lab_module.DNS4}")


def attempts():
    """The same as in a pod but for the API, which clients are not served; each by the first client, and two by the second."""
    families = {4: [], 6: []}
    for family, found in families.items():
        found += agent.of_family(str(family), HERE)
    own = {attempt.name for found in families.values() for attempt in found}
    rest = [attempt for attempt in agent.ATTEMPTS if attempt.name not in own and not attempt.name.startswith("check-")]
    second = [one for found in families.values() for one in found if one.name.startswith(("allowed-curl", "inside-curl"))]
    return [known(attempt, 0) for attempt in (*families[4], *families[6], *rest)] + [known(attempt, 1) for attempt in second]


def known(attempt, at):
    """The attempt as one of a client, whose address its records must say."""
    address = CLIENTS[at][attempt.name.endswith("-6")]

    def told(record):
        return record | {"client": address}

    record, others = attempt.record, attempt.others
    if at and attempt.name.startswith("inside"):
        record, others = agent.deny(record["original"], rule="first-alone", name="inside.example"), ()
        attempt = dataclasses.replace(attempt, sees=None)
    return dataclasses.replace(
        attempt, at=at, name=f"{attempt.name}-{at + 1}", title=attempt.title if not at else f"{attempt.title} (second client)",
        record=record and told(record), others=tuple(told(each) for each in others))
