#!/usr/bin/env python3
"""Writes a manual page for every command of ddn, in mdoc, from `ddn --experimental-dump-help`.

    ddn --experimental-dump-help | scripts/man-pages.py VERSION FOLDER

Pages are ddn.1, ddn-train.1, ddn-dataset-convert.1. SOURCE_DATE_EPOCH sets their date.
"""

import datetime
import json
import os
import pathlib
import re
import sys
import textwrap

EXIT_STATUS = [
    ("0", "Done."),
    ("1", "Failed while working."),
    ("64", "Wrong usage."),
    ("65", "Invalid input."),
    ("66", "Missing input."),
    ("70", "An error of the program."),
    ("130", "Stopped by a signal, after saving."),
]


def text(line):
    """A line of prose: a leading dot or apostrophe would be a macro."""
    line = line.replace("\\", "\\e")
    return "\\&" + line if line[:1] in (".", "'") else line


def filled(paragraph):
    """Lines of prose, a sentence each as mdoc wants it, wrapped."""
    sentences = re.split(r"(?<=[a-z0-9)][.?!]) +(?=[A-Z-])", paragraph)
    wrap = textwrap.TextWrapper(width=78, break_long_words=False, break_on_hyphens=False)
    return [text(line) for one in sentences for line in wrap.wrap(one)]


def argument(word):
    """An argument of a macro: a macro's name or punctuation would be called, not printed."""
    word = word.replace("\\", "\\e").replace('"', "\\(dq")
    return f'"\\&{word}"' if " " in word or not word else "\\&" + word


def sentence(abstract):
    """The text of an Nd macro: no capital, no full stop."""
    abstract = abstract.rstrip(".")
    # But for names, such as Discrete Distribution Networks.
    is_name = re.match(r"[A-Z]\w*[A-Z ] ?[A-Z]", abstract)
    return text(abstract if is_name else abstract[:1].lower() + abstract[1:])


def prose(discussion):
    """Paragraphs; indented lines, such as examples, keep their line breaks."""
    lines = []
    is_literal = False
    needs_break = False
    for line in discussion.strip("\n").split("\n"):
        indents = line.startswith("  ")
        if indents != is_literal and line:
            lines.append(".Bd -literal -offset indent" if indents else ".Ed")
            is_literal = indents
            needs_break = False
        if not line.strip():
            lines += [""] if is_literal else []
            needs_break = not is_literal and lines and "paragraph"
            continue
        if needs_break:
            lines.append(".Pp" if needs_break == "paragraph" else ".br")
        lines += [text(line[2:])] if is_literal else filled(line.strip())
        needs_break = not is_literal and "line"
    while lines and not lines[-1]:
        lines.pop()
    return lines + ([".Ed"] if is_literal else [])


def flag(name):
    dash = "-" if name["kind"].startswith("long") and name["kind"] != "longWithSingleDash" else ""
    return f"Fl {dash}{name['name']}"


def shown(command):
    """The arguments that help shows; a flag and its --no- form are one."""
    kept = []
    for info in command.get("arguments", []):
        if not info["shouldDisplay"]:
            continue
        names = [name["name"] for name in info.get("names", [])]
        before = [name["name"] for name in kept[-1].get("names", [])] if kept else []
        if names and before and names[0] == f"no-{before[0]}":
            kept[-1] = {**kept[-1], "names": kept[-1]["names"] + info["names"]}
        else:
            kept.append(info)
    return kept


def item(info):
    """The line of an option or argument in a list."""
    value = argument(info.get("valueName") or "value")
    ellipsis = " ..." if info["isRepeating"] else ""
    if info["kind"] == "positional":
        return f".It Ar {value}{ellipsis}"
    names = " , ".join(flag(name) for name in info["names"])
    return f".It {names}" + ("" if info["kind"] == "flag" else f" Ar {value}{ellipsis}")


def description(info):
    lines = prose(info.get("abstract") or "")
    default = info.get("defaultValue")
    if default and "(default:" not in (info.get("abstract") or ""):
        lines += filled(f"(default: {default})")
    # Options whose help does not describe the values one by one.
    values = info.get("allValues") or []
    if values and not all(re.search(rf"\b{re.escape(value)}\b", info.get("abstract") or "") for value in values):
        lines += filled(f"(values: {', '.join(values)})")
    if info.get("discussion"):
        lines += [".Pp"] + prose(info["discussion"])
    return lines


def arguments(command):
    """Sections of a list each: the arguments, the options, then the option groups by title."""
    groups = {}
    for info in shown(command):
        title = info.get("sectionTitle") or ("Arguments" if info["kind"] == "positional" else "Options")
        groups.setdefault(title[:1].upper() + title[1:], []).append(info)
    titles = sorted(groups, key=lambda title: (title != "Arguments", title != "Options"))
    lines = []
    for title in titles:
        lines += [f".Ss {argument(title)}", ".Bl -tag -width Ds"]
        for info in groups[title]:
            lines += [item(info)] + description(info)
        lines.append(".El")
    return [".Sh OPTIONS"] + lines if lines else []


def synopsis(command, words):
    name = argument(" ".join(words))
    lines = [".Sh SYNOPSIS", f".Nm {name}"]
    infos = shown(command)
    required = [info for info in infos if info["kind"] != "positional" and not info["isOptional"]]
    for info in required:
        value = "" if info["kind"] == "flag" else f" Ar {argument(info.get('valueName') or 'value')}"
        lines.append(f".{flag(info['preferredName'])}{value}")
    if any(info["kind"] != "positional" and info["isOptional"] for info in infos):
        lines.append(".Op Ar option ...")
    for info in infos:
        if info["kind"] == "positional":
            value = f"Ar {argument(info.get('valueName') or 'value')}" + (" ..." if info["isRepeating"] else "")
            lines.append(f".Op {value}" if info["isOptional"] else f".{value}")
    if children(command):
        lines += [f".Nm {name}", ".Ar command", ".Op Ar option ..."]
    return lines


def children(command):
    return [child for child in command.get("subcommands", []) if child["shouldDisplay"] and child["commandName"] != "help"]


def page(command, words, version, date):
    name = "-".join(words)
    lines = [
        '.\\" Made by scripts/man-pages.py from the command\'s own help.',
        f".Dd {date:%B} {date.day}, {date.year}",
        f".Dt {argument(name.upper())} 1",
        f".Os ddn {version}",
        ".Sh NAME",
        f".Nm {argument(name)}",
        f".Nd {sentence(command.get('abstract') or name)}",
    ]
    lines += synopsis(command, words)
    lines += [".Sh DESCRIPTION"] + prose(command.get("discussion") or command.get("abstract") or "")
    if children(command):
        lines += [".Sh COMMANDS", ".Bl -tag -width Ds"]
        for child in children(command):
            lines.append(f".It Xr {argument(name + '-' + child['commandName'])} 1")
            lines += filled(child.get("abstract") or "")
        lines.append(".El")
    lines += arguments(command)
    lines += [".Sh EXIT STATUS", ".Bl -tag -width Ds"]
    for code, meaning in EXIT_STATUS:
        lines += [f".It {code}", meaning]
    lines.append(".El")
    relatives = ["-".join(words[:-1])] if len(words) > 1 else []
    relatives += [f"{name}-{child['commandName']}" for child in children(command)]
    if relatives:
        lines.append(".Sh SEE ALSO")
        ordered = sorted(relatives)
        lines += [f".Xr {argument(other)} 1" + (" ," if other != ordered[-1] else "") for other in ordered]
    return "\n".join(lines) + "\n"


def write(command, words, version, date, folder):
    (folder / f"{'-'.join(words)}.1").write_text(page(command, words, version, date), encoding="utf-8")
    for child in children(command):
        write(child, words + [child["commandName"]], version, date, folder)


def main():
    version, folder = sys.argv[1:]
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.datetime.now(datetime.timezone.utc)
    date = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc) if seconds else now
    help_of_tool = json.load(sys.stdin)
    if help_of_tool["serializationVersion"] != 0:
        sys.exit("man-pages: this format of --experimental-dump-help is unknown: see swift-argument-parser's ToolInfo")
    command = help_of_tool["command"]
    write(command, [command["commandName"]], version, date, pathlib.Path(folder))


main()
