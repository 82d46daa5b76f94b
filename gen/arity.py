#!/usr/bin/env python3
"""Writes include/thrum/arity.h, the tables behind ARGS((type, name), ...) and thrum_gather(results, a, b, ...): one
macro a number of arguments.

    gen/arity.py > include/thrum/arity.h
"""
MOST = 24

HEAD = """/**
 * @file arity.h
 * The tables behind `ARGS((type, name), ...)` and `thrum_gather(results, a, b, ...)`. Written by gen/arity.py; do not edit.
 */
#ifndef THRUM_ARITY_H
#define THRUM_ARITY_H

#define THRUM_PASTE_(a, b) THRUM_PASTE2_(a, b)
#define THRUM_PASTE2_(a, b) a##b
"""


def main():
    print(HEAD)
    names = [f"a{i}" for i in range(1, MOST + 1)]
    # One argument too many ends in a macro that says so.
    too_many = ", ".join(f"too_many_arguments_at_most_{MOST}_" for _ in range(8))
    numbers = ", ".join(str(i) for i in range(MOST, 0, -1))
    print(f"#define THRUM_COUNT_(...) THRUM_NTH_(__VA_ARGS__, {too_many}, {numbers}, 0)")
    skipped = ", ".join(f"s{i}" for i in range(1, 9))
    print(f"#define THRUM_NTH_({', '.join(names)}, {skipped}, n, ...) n\n")
    for count in range(1, MOST + 1):
        args = ", ".join(names[:count])
        print(f"#define THRUM_EACH_{count}(m, {args}) " + " ".join(f"m {a}" for a in names[:count]))
        print(f"#define THRUM_LIST_{count}(m, {args}) " + ", ".join(f"m {a}" for a in names[:count]))
        print(f"#define THRUM_MAP_{count}(m, {args}) " + ", ".join(f"m({a})" for a in names[:count]))
    too_many = f"too_many_arguments_at_most_{MOST}_"
    print(f"#define THRUM_LIST_{too_many}(m, ...) int {too_many}")
    print(f'#define THRUM_EACH_{too_many}(m, ...) THRUM_STATIC_ASSERT_(0, "too many arguments in ARGS: at most {MOST}");')
    print(f"#define THRUM_MAP_{too_many}(m, ...) {too_many}")
    print("\n#endif")


main()
