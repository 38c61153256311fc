"""The kustomize component, rendered: by kustomize where the machine has one that knows components, and always by ourselves.

Debian's kubectl (1.20) is too old for components, and PyPI has no kustomize, so a machine may have none. What is done here
is what this component needs of it: resources, strategic merge patches with a target, images. Where there is a kustomize the
two must agree on every workload, so that this one cannot drift from the real one unnoticed.
"""

import copy
import os
import re
import shutil
import subprocess

import yaml

KINDS = ("Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


def documents(place):
    return [document for document in yaml.safe_load_all(place.read_text()) if document]


def by_ourselves(folder):
    """Every object of the kustomization in `folder`, its component's patches in place."""
    kustomization = documents(folder / "kustomization.yaml")[0]
    objects = [each for name in kustomization["resources"] for each in documents(folder / name)]
    for component in kustomization["components"]:
        place = (folder / component).resolve()
        settings = documents(place / "kustomization.yaml")[0]
        objects += [each for name in settings.get("resources", []) for each in documents(place / name)]
        for patch in settings["patches"]:
            change = documents(place / patch["path"])[0]
            objects = [merged(each, change) if is_met(each, patch["target"]) else each for each in objects]
    for each in objects:
        each["metadata"]["namespace"] = kustomization["namespace"]
        for container in containers(each):
            for image in kustomization["images"]:
                if container["image"].rpartition(":")[0] == image["name"]:
                    container["image"] = f"{image['newName']}:{image['newTag']}"
    return objects


def is_met(thing, target):
    key, value = target["labelSelector"].split("=")
    return bool(re.fullmatch(target["kind"], thing["kind"])) and thing["metadata"].get("labels", {}).get(key) == value


def merged(thing, patch):
    """A strategic merge: the object keeps its own kind and name."""
    patch = {key: value for key, value in patch.items() if key not in ("apiVersion", "kind", "metadata")} | (
        {"metadata": {key: value for key, value in patch.get("metadata", {}).items() if key != "name"}})
    return merge(copy.deepcopy(thing), patch)


def merge(old, new):
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: merge(old[key], value) if key in old else copy.deepcopy(value) for key, value in new.items()}
    if isinstance(old, list) and isinstance(new, list) and all(isinstance(each, dict) and "name" in each for each in old + new):
        mine, theirs = {each["name"]: each for each in old}, {each["name"]: each for each in new}
        return [merge(mine[name], each) if name in mine else copy.deepcopy(each) for name, each in theirs.items()] + [
            each for name, each in mine.items() if name not in theirs]
    return copy.deepcopy(new)


def specification(thing):
    """The pod's, wherever the kind has it."""
    inner = thing["spec"]
    while "template" in inner or "jobTemplate" in inner:
        inner = (inner.get("template") or inner["jobTemplate"])["spec"]
    return inner


def containers(thing):
    if thing["kind"] not in KINDS:
        return []
    inner = specification(thing)
    return inner.get("initContainers", []) + inner["containers"]


def workloads(objects):
    return {each["metadata"]["name"]: each for each in objects if each["kind"] in KINDS}


def with_watcher(folder, place):
    """The same kustomization in another folder, with the component behind that brings the watcher."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder, place)
    settings = documents(folder / "kustomization.yaml")[0]
    component = os.path.relpath(folder / settings["components"][0], place)
    settings["components"] = [component, f"{component}/watched"]
    (place / "kustomization.yaml").write_text(yaml.safe_dump(settings))
    return place


def check(report, folder, place, ours=("penstock-init", "penstockd")):
    """Leaves what was rendered at `place`."""
    objects = by_ourselves(folder)
    place.write_text(yaml.safe_dump_all(objects, sort_keys=False))
    rendered = workloads(objects)
    for name, each in rendered.items():
        order = [container["name"] for container in containers(each)]
        expected = ["other"] if name == "unguarded" else [*ours, "their-own", "agent"]
        report.check(order == expected, f"rendered, {name} has {' → '.join(expected)}", order)
    report.check(len(rendered) == len(KINDS) + 1, "a workload of each kind was rendered", sorted(rendered))
    tool = next((words for words in (["kustomize", "build"], ["kubectl", "kustomize"]) if shutil.which(words[0])), None)
    if tool is None or not knows_components(tool):
        report.note("no kustomize of 3.7 or later on this machine: the component was rendered by kustomized.py alone")
        return
    done = subprocess.run([*tool, folder], capture_output=True, text=True)
    if not report.check(done.returncode == 0, "the kustomize component renders", done.stderr):
        return
    # A ConfigMap that kustomize generates has a digest behind its name.
    text = re.sub(r"penstock-config-[a-z0-9]{10}\b", "penstock-config", done.stdout)
    theirs = workloads([each for each in yaml.safe_load_all(text) if each])
    different = [name for name in rendered.keys() | theirs.keys() if rendered.get(name) != theirs.get(name)]
    report.check(not different, f"{' '.join(tool)} makes the same of every workload", different)
    place.write_text(done.stdout)


def knows_components(tool):
    words = ["kubectl", "version", "--client"] if tool[0] == "kubectl" else ["kustomize", "version"]
    said = subprocess.run(words, capture_output=True, text=True).stdout
    found = re.search(r"(?:[Kk]ustomize(?: Version)?:|kustomize/|^)\s*v(\d+)\.(\d+)", said, re.MULTILINE)
    return bool(found) and (int(found[1]), int(found[2])) >= (3, 7)
