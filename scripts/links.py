#!/usr/bin/env python3
"""Checks the relative links of Markdown or HTML pages: the file exists, and its heading does.

    scripts/links.py                                       all Markdown pages of this repository
    scripts/links.py --root .build/site .build/site/*.html

Links out of ROOT are broken. Prints every broken link with its line; the exit code is 1 if there is one.
"""

import argparse
import html.parser
import pathlib
import re
import sys
import urllib.parse

LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()\s]*\))?)(?:\s+\"[^\"]*\")?\)")


class Page:
    """The links of a page, with their lines, and its anchors."""

    def __init__(self, path):
        self.links = []
        self.anchors = set()
        content = path.read_text(encoding="utf-8")
        if path.suffix == ".html":
            self.read_html(content)
        else:
            self.read_markdown(content)

    def read_html(self, content):
        parser = html.parser.HTMLParser()

        def start(tag, attributes):
            values = dict(attributes)
            for name in ("id", "name"):
                if values.get(name):
                    self.anchors.add(values[name])
            for name in ("href", "src"):
                if values.get(name):
                    self.links.append((parser.getpos()[0], values[name]))

        parser.handle_starttag = start
        parser.feed(content)

    def read_markdown(self, content):
        is_code = False
        counts = {}
        for number, line in enumerate(content.split("\n"), 1):
            if line.lstrip().startswith("```"):
                is_code = not is_code
            if is_code or line.startswith("    "):
                continue
            if match := re.match(r"#+ +(.*?) *#*$", line):
                # As GitHub names headings.
                text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1])
                name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
                self.anchors.add(f"{name}-{counts[name]}" if name in counts else name)
                counts[name] = counts.get(name, 0) + 1
            for match in LINK.finditer(re.sub(r"`[^`]*`", "", line)):
                self.links.append((number, match[1]))


def problem(path, link, root, pages):
    """Why a link of the page at `path` is broken, or None."""
    parts = urllib.parse.urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    target = path if not parts.path else (path.parent / urllib.parse.unquote(parts.path)).resolve()
    if root not in [target, *target.parents]:
        return f"leads out of {root}"
    if not target.exists():
        return "does not exist"
    if path.suffix == ".html" and target.is_dir() and not (target / "index.html").exists():
        return "is a folder without index.html"
    if parts.fragment and target.is_file() and target.suffix in (".md", ".html"):
        page = pages.get(target) or Page(target)
        if urllib.parse.unquote(parts.fragment) not in page.anchors:
            return f"{target.name} has no heading of this name"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent)
    parser.add_argument("pages", nargs="*", type=pathlib.Path)
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    paths = arguments.pages or [
        path for path in root.rglob("*.md") if not any(part.startswith(".build") for part in path.relative_to(root).parts)
    ]
    pages = {path.resolve(): Page(path.resolve()) for path in paths}
    broken = 0
    for path, page in pages.items():
        for line, link in page.links:
            if reason := problem(path, link, root, pages):
                print(f"links: {path.relative_to(root)}:{line}: {link} {reason}", file=sys.stderr)
                broken += 1
    total = sum(len(page.links) for page in pages.values())
    if broken:
        sys.exit(f"links: {broken} of {total} links are broken")


main()
