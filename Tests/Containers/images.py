"""The images of a run: bases made on this machine, without a registry, and Penstock's own from its Dockerfile."""

import os
import pathlib
import shutil
import subprocess

from engine import run

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEBIAN = "docker.io/library/debian:bookworm-slim"
SWIFT = "docker.io/library/swift:6.3-bookworm"
# What the manifests' example agent runs in: curl, Python and git on Debian.
AGENT = "docker.io/library/buildpack-deps:bookworm-scm"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SOURCES = """deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
"""


def make_bases(engine, say):
    """Look-alikes of the three public images that the Dockerfile and the manifests name."""
    for name, make in ((DEBIAN, make_debian), (SWIFT, make_swift), (AGENT, make_agent)):
        if not engine.has_image(name):
            say(f"making {name}")
            make(engine)


def make_debian(engine):
    container = engine.buildah("from", "scratch").strip()
    root = pathlib.Path(engine.buildah("mount", container).strip())
    run("debootstrap", "--variant=minbase", "bookworm", root)
    (root / "etc/apt/sources.list").write_text(SOURCES)
    # As in the public image: what apt-get fetched does not stay in the layer.
    (root / "etc/apt/apt.conf.d/docker-clean").write_text(
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };\n'
        'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";\n')
    for litter in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
        for entry in (root / litter).iterdir():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    (root / "var/cache/apt/archives/partial").mkdir(parents=True)
    (root / "var/lib/apt/lists/partial").mkdir(parents=True)
    commit(engine, container, DEBIAN, "--cmd", "bash", "--env", f"PATH={PATH}")


def make_swift(engine):
    """The toolchain is not copied, which takes a minute and 2 GB: `build` mounts this machine's own at /usr/local/swift."""
    container = engine.buildah("from", DEBIAN).strip()
    commit(engine, container, SWIFT, "--env", f"PATH=/usr/local/swift/usr/bin:{PATH}")


def make_agent(engine):
    container = engine.buildah("from", "--isolation", "chroot", DEBIAN).strip()
    engine.buildah("run", "--isolation", "chroot", "--network", "host", container, "--", "sh", "-ec",
                   "apt-get update -qq; apt-get install -qq -y --no-install-recommends ca-certificates curl python3 >/dev/null")
    commit(engine, container, AGENT, "--cmd", "bash")


def commit(engine, container, name, *settings):
    engine.buildah("config", *settings, container)
    engine.buildah("commit", "--quiet", "--rm", container, name)


def toolchain():
    """The folder above `usr` of the Swift on PATH."""
    found = shutil.which("swift")
    if not found:
        raise SystemExit("e2e: there is no swift on PATH")
    return pathlib.Path(os.path.realpath(found)).parents[2]


def build(engine, name, log):
    """From the Dockerfile as it is, with layers kept: nothing is compiled again where no source has changed."""
    revision = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    with open(log, "w") as output:
        done = subprocess.run(
            ["buildah", "bud", "--isolation", "chroot", "--layers", "--network", "host", "--pull-never",
             "--volume", f"{toolchain()}:/usr/local/swift:ro", "--build-arg", f"REVISION={revision or 'unknown'}",
             "--tag", name, "--file", ROOT / "Dockerfile", ROOT],
            env=engine.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        tail = "\n".join(pathlib.Path(log).read_text(errors="replace").splitlines()[-40:])
        raise SystemExit(f"e2e: the image cannot be built ({log}):\n{tail}")
