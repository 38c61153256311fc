"""Podman and buildah with a storage, a runtime folder and a configuration of their own: the user's are never touched."""

import json
import os
import pathlib
import resource
import shutil
import subprocess

QUIET = {"capture_output": True, "text": True}
# No command of a run takes longer; one that does is a failure, not a run that never ends.
PATIENCE = 300


def run(*command, **options):
    """Runs a command that must succeed; its own words are shown where it does not."""
    done = subprocess.run([str(word) for word in command], **(QUIET | options))
    if done.returncode != 0:
        said = (done.stderr or done.stdout or "").strip()
        raise SystemExit(f"e2e: {' '.join(map(str, command))}: exit {done.returncode}\n{said}")
    return done.stdout


class Engine:
    """`storage` outlives a run, so that the base images need not be made again; `runtime` does not.

    `network` is the words before a command that put it into the node's network namespace.
    """

    def __init__(self, storage, runtime, name_server, node=()):
        self.storage = pathlib.Path(storage)
        self.runtime = pathlib.Path(runtime)
        self.node = list(node)
        etc = self.runtime / "etc"
        temporary = self.storage / "tmp"
        for folder in (etc / "networks", temporary, self.runtime / "run"):
            folder.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.runtime), "TMPDIR": str(temporary), "LANG": "C.UTF-8",
            "CONTAINERS_STORAGE_CONF": str(etc / "storage.conf"), "CONTAINERS_CONF": str(etc / "containers.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(etc / "registries.conf"),
        }
        # Where packages come through a proxy, or from a mirror with an authority of its own.
        self.environment |= {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
        self.write_configuration(etc, name_server)

    def write_configuration(self, etc, name_server):
        # Overlays do not stand on overlays: in a container of its own, this runs with plain copies.
        over = subprocess.run(["stat", "-f", "-c", "%T", self.storage], **QUIET).stdout.strip() == "overlayfs"
        (etc / "storage.conf").write_text(
            f'[storage]\ndriver = "{"vfs" if over else "overlay"}"\n'
            f'runroot = "{self.runtime}/run/storage"\ngraphroot = "{self.storage}/graph"\n')
        (etc / "registries.conf").write_text(
            'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "permissive"\n')
        # The defaults of podman ask for more than a user without CAP_SYS_RESOURCE has. Soft is hard, because podman 4.3
        # takes one for the other in a pod.
        files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1] % (1 << 63), 1 << 20)
        processes = min(resource.getrlimit(resource.RLIMIT_NPROC)[1] % (1 << 63), 1 << 15)
        (etc / "containers.conf").write_text(f"""
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
log_driver = "k8s-file"
dns_servers = ["{name_server}"]
dns_options = ["timeout:1", "attempts:1"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
tmp_dir = "{self.runtime}/run/libpod"
volume_path = "{self.runtime}/run/volumes"
[network]
network_backend = "netavark"
network_config_dir = "{etc}/networks"
""")

    # Commands.

    def try_podman(self, *words, **options):
        options = QUIET | {"timeout": PATIENCE} | options
        return subprocess.run([*self.node, "podman", *map(str, words)], env=self.environment, **options)

    def podman(self, *words, **options):
        return run(*self.node, "podman", *words, env=self.environment, **options)

    def buildah(self, *words, **options):
        """Not in the node's namespace: what a build installs comes from the machine's own network."""
        return run("buildah", *words, env=self.environment, **options)

    def has_image(self, name):
        return subprocess.run(["buildah", "inspect", "--type", "image", name], env=self.environment, **QUIET).returncode == 0

    def inspect(self, container):
        return json.loads(self.podman("container", "inspect", container))[0]

    def pid(self, container):
        """The container's first process as the machine sees it; 0 while there is none."""
        done = self.try_podman("container", "inspect", "--format", "{{.State.Pid}}", container)
        return int(done.stdout) if done.returncode == 0 else 0

    def clear(self):
        """Ends and removes every pod, container, volume and network of this engine: of a run before that was cut off."""
        subprocess.run(["buildah", "rm", "--all"], env=self.environment, check=False, **QUIET)
        self.try_podman("pod", "rm", "--all", "--force", "--time", "0")
        self.try_podman("rm", "--all", "--force", "--time", "0")
        self.try_podman("volume", "rm", "--all", "--force")
        self.try_podman("network", "prune", "--force")

    def down(self):
        """The same at the end, and every trace of it; images stay for the next run."""
        self.clear()
        mounts = [line.split()[1] for line in open("/proc/mounts")]
        for place in sorted(mounts, reverse=True):
            if place.startswith((f"{self.runtime}/", f"{self.storage}/")):
                subprocess.run(["umount", place], check=False, **QUIET)
        shutil.rmtree(self.runtime, ignore_errors=True)
        # Podman's database of containers; images are not in it.
        shutil.rmtree(self.storage / "graph" / "libpod", ignore_errors=True)
        shutil.rmtree(self.storage / "tmp", ignore_errors=True)
