// The same on an enum.
// flags: -Werror
// error gcc: conversion from .long long int. to .unsigned int. changes value
// error clang: overflow converting case value to switch condition type
#include "../trap.h"
enum colour { RED, GREEN };
ASYNC(f, ARGS((enum colour, a)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    switch (self->a) {
    case RED:
        AWAIT(work(1));
        break;
    case GREEN:
        break;
    }
    ASYNC_END;
}
