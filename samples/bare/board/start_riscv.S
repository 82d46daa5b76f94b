/* Start-up and the way into traps of a RISC-V in machine mode. */
#if __riscv_xlen == 64
#define SAVE sd
#define LOAD ld
#define WORD 8
#else
#define SAVE sw
#define LOAD lw
#define WORD 4
#endif

    .section .start, "ax"
    .globl board_reset
board_reset:
    csrw mie, zero
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, __stack_top
    la tp, __bss_start
    la t0, board_trap
    csrw mtvec, t0
    csrr t0, mhartid
    bnez t0, 9f
    la a0, __data_start
    la a1, __data_end
    la a2, __data_source
1:  bgeu a0, a1, 2f
    LOAD t0, 0(a2)
    SAVE t0, 0(a0)
    addi a0, a0, WORD
    addi a2, a2, WORD
    j 1b
2:  la a0, __bss_start
    la a1, __bss_end
3:  bgeu a0, a1, 4f
    SAVE zero, 0(a0)
    addi a0, a0, WORD
    j 3b
4:  call main
    call board_exit
9:  wfi
    j 9b

/* Every trap comes here (mtvec wants the address aligned, or none arrives at all). An interrupt saves what a C function
 * may change; a fault reports all registers. */
    .section .text.board_trap, "ax"
    .balign 4
    .globl board_trap
board_trap:
    addi sp, sp, -32 * WORD
    SAVE ra, 1 * WORD(sp)
    SAVE t0, 5 * WORD(sp)
    SAVE t1, 6 * WORD(sp)
    SAVE t2, 7 * WORD(sp)
    SAVE a0, 10 * WORD(sp)
    SAVE a1, 11 * WORD(sp)
    SAVE a2, 12 * WORD(sp)
    SAVE a3, 13 * WORD(sp)
    SAVE a4, 14 * WORD(sp)
    SAVE a5, 15 * WORD(sp)
    SAVE a6, 16 * WORD(sp)
    SAVE a7, 17 * WORD(sp)
    SAVE t3, 28 * WORD(sp)
    SAVE t4, 29 * WORD(sp)
    SAVE t5, 30 * WORD(sp)
    SAVE t6, 31 * WORD(sp)
    csrr a0, mcause
    bgez a0, fault
    call board_interrupt
    LOAD ra, 1 * WORD(sp)
    LOAD t0, 5 * WORD(sp)
    LOAD t1, 6 * WORD(sp)
    LOAD t2, 7 * WORD(sp)
    LOAD a0, 10 * WORD(sp)
    LOAD a1, 11 * WORD(sp)
    LOAD a2, 12 * WORD(sp)
    LOAD a3, 13 * WORD(sp)
    LOAD a4, 14 * WORD(sp)
    LOAD a5, 15 * WORD(sp)
    LOAD a6, 16 * WORD(sp)
    LOAD a7, 17 * WORD(sp)
    LOAD t3, 28 * WORD(sp)
    LOAD t4, 29 * WORD(sp)
    LOAD t5, 30 * WORD(sp)
    LOAD t6, 31 * WORD(sp)
    addi sp, sp, 32 * WORD
    mret
fault:
    SAVE gp, 3 * WORD(sp)
    SAVE tp, 4 * WORD(sp)
    SAVE s0, 8 * WORD(sp)
    SAVE s1, 9 * WORD(sp)
    SAVE s2, 18 * WORD(sp)
    SAVE s3, 19 * WORD(sp)
    SAVE s4, 20 * WORD(sp)
    SAVE s5, 21 * WORD(sp)
    SAVE s6, 22 * WORD(sp)
    SAVE s7, 23 * WORD(sp)
    SAVE s8, 24 * WORD(sp)
    SAVE s9, 25 * WORD(sp)
    SAVE s10, 26 * WORD(sp)
    SAVE s11, 27 * WORD(sp)
    addi a1, sp, 32 * WORD
    SAVE a1, 2 * WORD(sp)
    mv a1, sp
    call board_fault
