"""The machines that firmware is built for and started on here, one entry each. ../build and ../emulate read it.

    prefix      of the tools: PREFIXgcc, PREFIXnm ...
    flags       for the compiler: the processor
    board       the files of this folder that belong to it
    memory      where code and variables go, (origin, bytes) each; None: the compiler's own linker script knows
    emulator    the command that starts it; the program's path is put behind it
    port        the file of lib/loop/bare that is linked unless told otherwise
    uart        the file of this folder that is linked when a program refers to board_uart
    libc        what makes the compiler find a C library, for programs that ask for one (--libc)
"""

CORTEX_M = ['start_cortex_m.c', 'semihosting.c', 'memory.c']
RISCV = ['start_riscv.S', 'traps_riscv.c', 'semihosting.c', 'memory.c']
ARM = 'arm-none-eabi-'
RISC = 'riscv64-unknown-elf-'
QEMU_ARM = ['qemu-system-arm', '-M']
PICOLIBC = ['--specs=picolibc.specs']

MACHINES = {
    'microbit': {
        'about': 'Cortex-M0 (nRF51), 16 K of RAM',
        'prefix': ARM, 'flags': ['-mcpu=cortex-m0', '-mthumb', '-DBOARD_MICROBIT'], 'board': CORTEX_M,
        'memory': ((0, 0x40000), (0x20000000, 0x4000)),
        'port': 'port_cortex_m.c', 'uart': 'uart_nrf51.c', 'emulator': QEMU_ARM + ['microbit'], 'libc': [],
    },
    'mps2-an385': {
        'about': 'Cortex-M3 at 25 MHz',
        'prefix': ARM, 'flags': ['-mcpu=cortex-m3', '-mthumb', '-DBOARD_MPS2_AN385'], 'board': CORTEX_M,
        'memory': ((0, 0x400000), (0x20000000, 0x400000)),
        'port': 'port_cortex_m_cmsdk.c', 'uart': 'uart_cmsdk.c', 'emulator': QEMU_ARM + ['mps2-an385'], 'libc': [],
    },
    # No machine of QEMU has a Cortex-M0 and more than 16 K: its code runs on a Cortex-M3, which knows all of its
    # instructions.
    'cortex-m0': {
        'about': 'code for a Cortex-M0 on mps2-an385, for what does not fit into a microbit',
        'prefix': ARM, 'flags': ['-mcpu=cortex-m0', '-mthumb', '-DBOARD_MPS2_AN385'], 'board': CORTEX_M,
        'memory': ((0, 0x400000), (0x20000000, 0x400000)),
        'port': 'port_cortex_m_cmsdk.c', 'uart': 'uart_cmsdk.c', 'emulator': QEMU_ARM + ['mps2-an385'], 'libc': [],
    },
    'mps2-an505': {
        'about': 'Cortex-M33 at 20 MHz, in its secure state',
        'prefix': ARM, 'flags': ['-mcpu=cortex-m33+nofp', '-mthumb', '-DBOARD_MPS2_AN505'], 'board': CORTEX_M,
        'memory': ((0x10000000, 0x400000), (0x38000000, 0x400000)),
        'port': 'port_cortex_m_cmsdk.c', 'uart': 'uart_cmsdk.c', 'emulator': QEMU_ARM + ['mps2-an505'], 'libc': [],
    },
    'riscv32': {
        'about': 'rv32imac in machine mode, QEMU\'s "virt"',
        'prefix': RISC, 'flags': ['-march=rv32imac_zicsr', '-mabi=ilp32', '-mcmodel=medany', '-DBOARD_VIRT'],
        'board': RISCV,
        'memory': ((0x80000000, 0x400000), (0x80400000, 0x400000)),
        'port': 'port_riscv_clint.c', 'uart': 'uart_16550.c',
        'emulator': ['qemu-system-riscv32', '-M', 'virt', '-bios', 'none'], 'libc': PICOLIBC,
    },
    'riscv64': {
        'about': 'rv64imac in machine mode, QEMU\'s "virt"',
        'prefix': RISC, 'flags': ['-march=rv64imac_zicsr', '-mabi=lp64', '-mcmodel=medany', '-DBOARD_VIRT'],
        'board': RISCV,
        'memory': ((0x80000000, 0x400000), (0x80400000, 0x400000)),
        'port': 'port_riscv_clint.c', 'uart': 'uart_16550.c',
        'emulator': ['qemu-system-riscv64', '-M', 'virt', '-bios', 'none'], 'libc': PICOLIBC,
    },
    'avr': {
        'about': 'ATmega1284P at 16 MHz, 16 K of RAM, 16-bit int; simavr',
        'prefix': 'avr-', 'flags': ['-mmcu=atmega1284p', '-DF_CPU=16000000UL', '-DBOARD_AVR'], 'board': ['start_avr.c'],
        'memory': None,
        'port': 'port_avr.c', 'uart': 'uart_avr.c', 'emulator': ['simavr'], 'libc': [],
    },
}
