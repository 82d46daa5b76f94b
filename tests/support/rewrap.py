#!/usr/bin/python3
"""Moves the last words of comment lines of more than 120 characters to the line below: rewrap.py FILE...

clang-format would reflow whole comments and with them lists and tag lines, so it is told to leave them alone.
"""
import re
import sys

LIMIT = 120


def below(line):
    """What a line that goes on with the text of this comment line begins with, or None where it is no comment."""
    match = re.match(r'(\s*)(/\*\*? |\*\s*|// )(- |@return\s+|@param\s+\w+\s+)?', line)
    if not match:
        return None
    if match[2].startswith('//'):
        return match[1] + '// '
    opened = match[2].startswith('/*')
    return match[1] + (' * ' if opened else match[2]) + ' ' * len(match[3] or '')


def rewrap(lines):
    at = 0
    while at < len(lines):
        line, begin = lines[at], below(lines[at])
        if len(line) > LIMIT and begin:
            text = line.removesuffix('*/').rstrip()
            cut = text.rfind(' ', 0, LIMIT + 1)
            lines[at], rest = text[:cut].rstrip(), begin + text[cut + 1:].strip()
            after = lines[at + 1] if at + 1 < len(lines) else ''
            if line.endswith('*/'):
                lines.insert(at + 1, rest + ' */')
            elif after.startswith(begin) and re.match(r'[^\s@\-\[*/]', after[len(begin):]):
                lines[at + 1] = rest + ' ' + after[len(begin):]
            else:
                lines.insert(at + 1, rest)
        at += 1
    return lines


for path in sys.argv[1:]:
    with open(path) as file:
        before = file.read()
    after = '\n'.join(rewrap(before.split('\n')))
    if after != before:
        with open(path, 'w') as file:
            file.write(after)
