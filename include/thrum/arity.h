/**
 * @file arity.h
 * The tables behind `ARGS((type, name), ...)` and `thrum_gather(results, a, b, ...)`. Written by gen/arity.py; do not edit.
 */
#ifndef THRUM_ARITY_H
#define THRUM_ARITY_H

#define THRUM_PASTE_(a, b) THRUM_PASTE2_(a, b)
#define THRUM_PASTE2_(a, b) a##b

#define THRUM_COUNT_(...) THRUM_NTH_(__VA_ARGS__, too_many_arguments_at_most_24_, too_many_arguments_at_most_24_, too_many_arguments_at_most_24_, too_many_arguments_at_most_24_, too_many_arguments_at_most_24_, too_many_arguments_at_most_24_, too_many_arguments_at_most_24_, too_many_arguments_at_most_24_, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define THRUM_NTH_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, s1, s2, s3, s4, s5, s6, s7, s8, n, ...) n

#define THRUM_EACH_1(m, a1) m a1
#define THRUM_LIST_1(m, a1) m a1
#define THRUM_MAP_1(m, a1) m(a1)
#define THRUM_EACH_2(m, a1, a2) m a1 m a2
#define THRUM_LIST_2(m, a1, a2) m a1, m a2
#define THRUM_MAP_2(m, a1, a2) m(a1), m(a2)
#define THRUM_EACH_3(m, a1, a2, a3) m a1 m a2 m a3
#define THRUM_LIST_3(m, a1, a2, a3) m a1, m a2, m a3
#define THRUM_MAP_3(m, a1, a2, a3) m(a1), m(a2), m(a3)
#define THRUM_EACH_4(m, a1, a2, a3, a4) m a1 m a2 m a3 m a4
#define THRUM_LIST_4(m, a1, a2, a3, a4) m a1, m a2, m a3, m a4
#define THRUM_MAP_4(m, a1, a2, a3, a4) m(a1), m(a2), m(a3), m(a4)
#define THRUM_EACH_5(m, a1, a2, a3, a4, a5) m a1 m a2 m a3 m a4 m a5
#define THRUM_LIST_5(m, a1, a2, a3, a4, a5) m a1, m a2, m a3, m a4, m a5
#define THRUM_MAP_5(m, a1, a2, a3, a4, a5) m(a1), m(a2), m(a3), m(a4), m(a5)
#define THRUM_EACH_6(m, a1, a2, a3, a4, a5, a6) m a1 m a2 m a3 m a4 m a5 m a6
#define THRUM_LIST_6(m, a1, a2, a3, a4, a5, a6) m a1, m a2, m a3, m a4, m a5, m a6
#define THRUM_MAP_6(m, a1, a2, a3, a4, a5, a6) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6)
#define THRUM_EACH_7(m, a1, a2, a3, a4, a5, a6, a7) m a1 m a2 m a3 m a4 m a5 m a6 m a7
#define THRUM_LIST_7(m, a1, a2, a3, a4, a5, a6, a7) m a1, m a2, m a3, m a4, m a5, m a6, m a7
#define THRUM_MAP_7(m, a1, a2, a3, a4, a5, a6, a7) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7)
#define THRUM_EACH_8(m, a1, a2, a3, a4, a5, a6, a7, a8) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8
#define THRUM_LIST_8(m, a1, a2, a3, a4, a5, a6, a7, a8) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8
#define THRUM_MAP_8(m, a1, a2, a3, a4, a5, a6, a7, a8) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8)
#define THRUM_EACH_9(m, a1, a2, a3, a4, a5, a6, a7, a8, a9) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9
#define THRUM_LIST_9(m, a1, a2, a3, a4, a5, a6, a7, a8, a9) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9
#define THRUM_MAP_9(m, a1, a2, a3, a4, a5, a6, a7, a8, a9) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9)
#define THRUM_EACH_10(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10
#define THRUM_LIST_10(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10
#define THRUM_MAP_10(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10)
#define THRUM_EACH_11(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11
#define THRUM_LIST_11(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11
#define THRUM_MAP_11(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11)
#define THRUM_EACH_12(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11 m a12
#define THRUM_LIST_12(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11, m a12
#define THRUM_MAP_12(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11), m(a12)
#define THRUM_EACH_13(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11 m a12 m a13
#define THRUM_LIST_13(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11, m a12, m a13
#define THRUM_MAP_13(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11), m(a12), m(a13)
#define THRUM_EACH_14(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11 m a12 m a13 m a14
#define THRUM_LIST_14(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11, m a12, m a13, m a14
#define THRUM_MAP_14(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11), m(a12), m(a13), m(a14)
#define THRUM_EACH_15(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11 m a12 m a13 m a14 m a15
#define THRUM_LIST_15(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11, m a12, m a13, m a14, m a15
#define THRUM_MAP_15(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11), m(a12), m(a13), m(a14), m(a15)
#define THRUM_EACH_16(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11 m a12 m a13 m a14 m a15 m a16
#define THRUM_LIST_16(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11, m a12, m a13, m a14, m a15, m a16
#define THRUM_MAP_16(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11), m(a12), m(a13), m(a14), m(a15), m(a16)
#define THRUM_EACH_17(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11 m a12 m a13 m a14 m a15 m a16 m a17
#define THRUM_LIST_17(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11, m a12, m a13, m a14, m a15, m a16, m a17
#define THRUM_MAP_17(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11), m(a12), m(a13), m(a14), m(a15), m(a16), m(a17)
#define THRUM_EACH_18(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11 m a12 m a13 m a14 m a15 m a16 m a17 m a18
#define THRUM_LIST_18(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11, m a12, m a13, m a14, m a15, m a16, m a17, m a18
#define THRUM_MAP_18(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11), m(a12), m(a13), m(a14), m(a15), m(a16), m(a17), m(a18)
#define THRUM_EACH_19(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11 m a12 m a13 m a14 m a15 m a16 m a17 m a18 m a19
#define THRUM_LIST_19(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11, m a12, m a13, m a14, m a15, m a16, m a17, m a18, m a19
#define THRUM_MAP_19(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11), m(a12), m(a13), m(a14), m(a15), m(a16), m(a17), m(a18), m(a19)
#define THRUM_EACH_20(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11 m a12 m a13 m a14 m a15 m a16 m a17 m a18 m a19 m a20
#define THRUM_LIST_20(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11, m a12, m a13, m a14, m a15, m a16, m a17, m a18, m a19, m a20
#define THRUM_MAP_20(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11), m(a12), m(a13), m(a14), m(a15), m(a16), m(a17), m(a18), m(a19), m(a20)
#define THRUM_EACH_21(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11 m a12 m a13 m a14 m a15 m a16 m a17 m a18 m a19 m a20 m a21
#define THRUM_LIST_21(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11, m a12, m a13, m a14, m a15, m a16, m a17, m a18, m a19, m a20, m a21
#define THRUM_MAP_21(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11), m(a12), m(a13), m(a14), m(a15), m(a16), m(a17), m(a18), m(a19), m(a20), m(a21)
#define THRUM_EACH_22(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11 m a12 m a13 m a14 m a15 m a16 m a17 m a18 m a19 m a20 m a21 m a22
#define THRUM_LIST_22(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11, m a12, m a13, m a14, m a15, m a16, m a17, m a18, m a19, m a20, m a21, m a22
#define THRUM_MAP_22(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11), m(a12), m(a13), m(a14), m(a15), m(a16), m(a17), m(a18), m(a19), m(a20), m(a21), m(a22)
#define THRUM_EACH_23(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11 m a12 m a13 m a14 m a15 m a16 m a17 m a18 m a19 m a20 m a21 m a22 m a23
#define THRUM_LIST_23(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11, m a12, m a13, m a14, m a15, m a16, m a17, m a18, m a19, m a20, m a21, m a22, m a23
#define THRUM_MAP_23(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11), m(a12), m(a13), m(a14), m(a15), m(a16), m(a17), m(a18), m(a19), m(a20), m(a21), m(a22), m(a23)
#define THRUM_EACH_24(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24) m a1 m a2 m a3 m a4 m a5 m a6 m a7 m a8 m a9 m a10 m a11 m a12 m a13 m a14 m a15 m a16 m a17 m a18 m a19 m a20 m a21 m a22 m a23 m a24
#define THRUM_LIST_24(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24) m a1, m a2, m a3, m a4, m a5, m a6, m a7, m a8, m a9, m a10, m a11, m a12, m a13, m a14, m a15, m a16, m a17, m a18, m a19, m a20, m a21, m a22, m a23, m a24
#define THRUM_MAP_24(m, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24) m(a1), m(a2), m(a3), m(a4), m(a5), m(a6), m(a7), m(a8), m(a9), m(a10), m(a11), m(a12), m(a13), m(a14), m(a15), m(a16), m(a17), m(a18), m(a19), m(a20), m(a21), m(a22), m(a23), m(a24)
#define THRUM_LIST_too_many_arguments_at_most_24_(m, ...) int too_many_arguments_at_most_24_
#define THRUM_EACH_too_many_arguments_at_most_24_(m, ...) THRUM_STATIC_ASSERT_(0, "too many arguments in ARGS: at most 24");
#define THRUM_MAP_too_many_arguments_at_most_24_(m, ...) too_many_arguments_at_most_24_

#endif
