#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Wherever the documentation, the manual or an alert shows a command of a tool, run by a test or not, the tool has
that verb, and each option of it with a value or without as it is shown."""
import glob
import os
import re
import shlex
import subprocess
import sys

top = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
build = os.environ.get("BUILD", os.path.join(top, "build"))
tables = {}
point, failed = 0, False


def ok(good, name, *notes):
    global point, failed
    point += 1
    print("%sok %d - %s" % ("" if good else "not ", point, name))
    if not good:
        failed = True
        for note in notes:
            print("# %s" % note)


def table(tool, verb=None):
    """Of a tool, or a verb of it: options with whether they take a value, and verbs."""
    if (tool, verb) not in tables:
        words = [os.path.join(build, tool)] + ([verb] if verb else []) + ["--print-options"]
        options, verbs = {}, set()
        for line in subprocess.run(words, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout.splitlines():
            field = line.split("\t")
            if field[0] == "verb":
                verbs.add(field[2])
            elif field[0] == "option" and not verbs:
                value = {"flag": "never", "optional-choice": "maybe"}.get(field[3], "always")
                options.update({dashes + name: value for dashes, name in (("-", field[1]), ("--", field[2])) if name != "-"})
        options["--print-options"] = "never"
        tables[tool, verb] = options, verbs
    return tables[tool, verb]


def wrong(tool, words):
    """What is wrong with a command, or None."""
    verb = None
    verbs = table(tool)[1]
    if verbs:
        verb = next((word for word in words if not word.startswith("-")), None)
        if verb is None:
            words = words + ["--help"]
        elif verb not in verbs:
            return "has no verb %s" % verb
        else:
            words = [word for word in words if word != verb]
    options = table(tool, verb)[0]
    for word in words:
        if word == "--":
            break
        if not re.match(r"--?[A-Za-z]", word):
            continue
        name, _, value = word.partition("=")
        if word.startswith("--"):
            if name not in options:
                return "has no option %s" % name
            if value and options[name] == "never":
                return "option %s takes no value" % name
            continue
        for place, letter in enumerate(word[1:]):
            if "-" + letter not in options:
                return "has no option -%s" % letter
            if options["-" + letter] != "never":
                break
    return None


def commands(text):
    """What is shown of commands: lines of code, and what stands between backticks or in .Ql and .Dl of mdoc."""
    shown = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^(?:    |\t)(.+)$", text, re.M)
    shown += re.findall(r"^\.(?:Ql|Dl) (.+)$", text, re.M)
    inside = None
    for line in text.splitlines():
        if re.match(r"```|\.Bd|\.Ed", line):
            inside = not inside if line.startswith("```") else line == ".Bd -literal -offset indent"
        elif inside:
            shown.append(line)
    for line in shown:
        line = re.sub(r"\$\((?:[^()]|\([^()]*\))*\)|#.*|\\e$", "X", line.replace("# remap-", "remap-").replace("\\|", "|"))
        for part in re.split(r"[|;&<>()]", line):
            match = re.match(r"\s*(?:[$#!]\s+|\* \* \* \* \* root )?(?:[A-Z_]+=\S+ )?(remap-[a-z]+)\s+(.+)", part)
            if match and os.path.exists(os.path.join(build, match[1])):
                try:
                    yield match[1], [word for word in shlex.split(match[2]) if word not in ("...", ",", ".")]
                except ValueError:
                    pass


seen = 0
pages = sorted(glob.glob(top + "/docs/*.md") + glob.glob(top + "/man/*.[1-9]") + [top + "/README.md"] +
               glob.glob(top + "/contrib/prometheus/*.rules.yml"))
for page in pages:
    bad = []
    with open(page, encoding="utf-8") as file:
        for tool, words in commands(file.read()):
            if "VERB" in words or any(mark in word for word in words for mark in "[{"):
                continue    # a form: [-n] SPARE
            seen += 1
            why = wrong(tool, words)
            if why:
                bad.append("%s %s: %s %s" % (tool, " ".join(words), tool, why))
    ok(not bad, os.path.relpath(page, top), *bad)
ok(seen > 150, "%d commands" % seen)
ok(wrong("remap-setup", ["opne", "x"]) and wrong("remap-dump", ["--formt", "json"]) and
   not wrong("remap-dump", ["-q", "-F", "json", "x"]), "one that is wrong is noticed")
print("1..%d" % point)
sys.exit(failed)
