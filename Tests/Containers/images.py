"""The images of a run: bases made on this machine, without a registry, and Penstock's own from its Dockerfile."""

import hashlib
import json
import pathlib
import re
import shutil
import subprocess

from engine import run

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEBIAN = "docker.io/library/debian:bookworm-slim"
SWIFT = "docker.io/library/swift:6.3-bookworm"
# What the manifests' example agent runs in: curl, Python and git on Debian.
AGENT = "docker.io/library/buildpack-deps:bookworm-scm"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Of apt: what a mirror does not deliver is asked for again.
RETRIES = 5
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
SOURCES = f"""deb [signed-by="{KEYS}"] http://deb.debian.org/debian bookworm main
deb [signed-by="{KEYS}"] http://deb.debian.org/debian bookworm-updates main
deb [signed-by="{KEYS}"] http://deb.debian.org/debian-security bookworm-security main
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
    sources = engine.runtime / "debian.list"
    sources.write_text(SOURCES)
    # As the public image has it: dpkg does not wait for the disk, and what apt-get fetched does not stay in a layer.
    run("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--dpkgopt=force-unsafe-io", f'--aptopt=Acquire::Retries "{RETRIES}"',
        "bookworm", root, sources)
    (root / "etc/apt/apt.conf.d/docker-clean").write_text(
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };\n'
        'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";\n')
    for litter in ("usr/share/doc", "usr/share/man", "usr/share/locale"):
        for entry in (root / litter).iterdir():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    commit(engine, container, DEBIAN, "--cmd", "bash", "--env", f"PATH={PATH}")


def make_swift(engine):
    """The toolchain is not copied, which takes a minute and 2 GB: `build` mounts this machine's own at /usr/local/swift."""
    container = engine.buildah("from", DEBIAN).strip()
    commit(engine, container, SWIFT, "--env", f"PATH=/usr/local/swift/usr/bin:{PATH}")


def make_agent(engine):
    container = engine.buildah("from", "--isolation", "chroot", DEBIAN).strip()
    engine.buildah("run", "--isolation", "chroot", "--network", "host", container, "--", "sh", "-ec",
                   f"options='-qq -y -o Acquire::Retries={RETRIES}'; apt-get update $options; "
                   "apt-get install $options --no-install-recommends ca-certificates curl python3 >/dev/null")
    commit(engine, container, AGENT, "--cmd", "bash")


def commit(engine, container, name, *settings):
    engine.buildah("config", *settings, container)
    engine.buildah("commit", "--quiet", "--rm", container, name)


def check(report, engine, name):
    """What is in the image, and what is not."""
    container = engine.buildah("from", "--pull-never", name).strip()
    root = pathlib.Path(engine.buildah("mount", container).strip())
    files = {f"/{path.relative_to(root)}": path for path in root.rglob("*") if path.is_file() and not path.is_symlink()}
    size = sum(path.stat().st_size for path in files.values())
    report.check(size < 60_000_000, f"the image has {size / 1e6:.1f} MB, fewer than 60", files)
    strange = [name for name in files if not re.fullmatch(
        r"/usr/local/bin/penstock(d|-init)?|/lib(64)?/.*\.so(\.\d+)*|/etc/(passwd|group|ssl/certs/ca-certificates\.crt)|"
        r"/usr/share/doc/penstock/penstock\.spdx\.json", name)]
    report.check(not strange and len(files) > 10, "it holds three programs, their shared objects and nothing that runs but them",
                 strange)
    special = [name for name, path in files.items() if path.stat().st_mode & 0o6022]
    report.check(not special, "no file of it is setuid or writable for others", special)
    check_sbom(report, files)
    engine.buildah("umount", container)
    engine.buildah("rm", container)
    settings = json.loads(engine.buildah("inspect", "--type", "image", name))["OCIv1"]
    labels = settings["config"]["Labels"]
    wanted = ("title", "description", "licenses", "version", "revision", "created")
    report.check(all(labels.get(f"org.opencontainers.image.{each}") for each in wanted), "it has its OCI labels", labels)
    report.check(settings["config"]["User"] == "10880:10880", "it runs as 10880:10880 unless told otherwise", settings["config"])
    for program in ("penstock-init", "penstockd", "penstock"):
        done = engine.try_podman("run", "--rm", "--network", "none", "--read-only", "--cap-drop", "all",
                                 "--entrypoint", f"/usr/local/bin/{program}", name, "--version")
        report.check(done.stdout == f"{program} {labels['org.opencontainers.image.version']}\n",
                     f"{program} runs in it, read-only and without a capability", done.stderr or done.stdout)


def check_sbom(report, files):
    place = "/usr/share/doc/penstock/penstock.spdx.json"
    exported = ROOT / ".build" / "penstock.spdx.json"
    shutil.copy(files[place], exported)
    judged = subprocess.run([ROOT / ".build/venv/bin/pyspdxtools", "-i", exported], capture_output=True, text=True)
    report.check(judged.returncode == 0, "its SBOM is valid SPDX 2.3 (.build/penstock.spdx.json)", judged.stderr)
    bill = json.loads(exported.read_text())
    listed = {entry["fileName"][1:]: {sum["algorithm"]: sum["checksumValue"] for sum in entry["checksums"]} for entry in bill["files"]}
    real = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if name != place}
    report.check({name: sums["SHA256"] for name, sums in listed.items()} == real, "the SBOM names every file of it, with its digest")
    packages = {package["name"] for package in bill["packages"]}
    report.check({"penstock", "swift", "libc6", "libssl3", "libnftnl11", "libyaml-0-2"} <= packages,
                 "the SBOM names the packages that they came from", packages)


def toolchain():
    """The folder above `usr` of the Swift on PATH, which may be there by a link or through swiftly."""
    if not shutil.which("swift"):
        raise SystemExit("e2e: there is no swift on PATH")
    return pathlib.Path(json.loads(run("swift", "-print-target-info"))["paths"]["runtimeResourcePath"]).parents[2]


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
