/*
 * The kernel of the boot tests: says on COM1 what a multiboot 1 loader handed over, then ends QEMU.
 *
 *     ACCEL <hypervisor signature>
 *     LOADER <what the loader calls itself>
 *     KERNEL <command line>
 *     MODULE <index> <command line> <size in bytes> <CRC-32, 8 hexadecimal digits>
 *     DONE <count of modules>
 *
 * Or, in place of what cannot be trusted any more: PANIC <reason>.
 * It runs in 32-bit protected mode without paging and without interrupts, as the loader left it.
 */
#include <stdint.h>

enum {
    HEADER_MAGIC = 0x1BADB002,
    HEADER_FLAGS = 0x3, /* modules on page borders; memory sizes wanted */
    LOADER_MAGIC = 0x2BADB002,
    INFO_HAS_CMDLINE = 1 << 2,
    INFO_HAS_MODULES = 1 << 3,
    INFO_HAS_LOADER_NAME = 1 << 9,
    COM1 = 0x3F8,
    LINE_STATUS = COM1 + 5,
    HOLDING_EMPTY = 0x20,
    ALL_SENT = 0x40,
    DEBUG_EXIT = 0xF4,
    EXIT_DONE = 0x10,  /* QEMU ends with (value << 1) | 1 = 33 */
    EXIT_PANIC = 0x11, /* 35 */
};

struct module {
    uint32_t start, end, cmdline, reserved;
};

struct info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
    uint32_t unused[9], loader_name;
};

__attribute__((section(".multiboot"), used, aligned(4))) static const uint32_t header[3] = {
    HEADER_MAGIC, HEADER_FLAGS, -(uint32_t)(HEADER_MAGIC + HEADER_FLAGS)};

extern const char kernel_start[], kernel_end[];
static uint32_t crc_table[256];
__attribute__((used)) static uint8_t stack[16384] __attribute__((aligned(16)));

__asm__(".section .text\n"
        ".globl _start\n"
        "_start:\n"
        "    cli\n"
        "    cld\n"
        "    movl $stack + 16384, %esp\n"
        "    pushl $0\n"
        "    popfl\n"
        "    subl $8, %esp\n"
        "    pushl %ebx\n"
        "    pushl %eax\n"
        "    call kernel_main\n"
        "1:  cli\n"
        "    hlt\n"
        "    jmp 1b\n");

static void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void put_char(char c)
{
    while (!(in8(LINE_STATUS) & HOLDING_EMPTY))
        ;
    out8(COM1, (uint8_t)c);
}

static void put(const char *text)
{
    while (*text)
        put_char(*text++);
}

static void put_decimal(uint32_t value)
{
    char digits[11];
    char *at = digits + sizeof digits - 1;
    *at = 0;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    put(at);
}

static void put_hex(uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        put_char("0123456789abcdef"[(value >> shift) & 15]);
}

static void finish(uint8_t code)
{
    while (!(in8(LINE_STATUS) & ALL_SENT))
        ;
    out8(DEBUG_EXIT, code);
    for (;;) /* a machine without the exit device */
        __asm__ volatile("cli; hlt");
}

static void panic(const char *reason)
{
    put("PANIC ");
    put(reason);
    put("\r\n");
    finish(EXIT_PANIC);
}

static void open_serial(void)
{
    out8(COM1 + 1, 0);    /* no interrupts */
    out8(COM1 + 3, 0x80); /* divisor 1: 115200 baud */
    out8(COM1 + 0, 1);
    out8(COM1 + 1, 0);
    out8(COM1 + 3, 0x03); /* 8 bits, no parity, 1 stop bit */
    out8(COM1 + 2, 0xC7); /* FIFO on and emptied */
    out8(COM1 + 4, 0x03);
    put("\r\n"); /* the firmware may have left the cursor inside a line */
}

static void put_accelerator(void)
{
    uint32_t eax = 0x40000000, name[4] = {0};
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(name[0]), "=c"(name[1]), "=d"(name[2]));
    put("ACCEL ");
    for (const char *at = (const char *)name; at < (const char *)(name + 3); at++)
        if (*at > ' ' && *at < 0x7F)
            put_char(*at);
    put("\r\n");
}

static void fill_crc_table(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++)
            value = (value >> 1) ^ (value & 1 ? 0xEDB88320u : 0);
        crc_table[byte] = value;
    }
}

static uint32_t crc32(const uint8_t *at, uint32_t size)
{
    uint32_t crc = 0xFFFFFFFFu;
    while (size--)
        crc = (crc >> 8) ^ crc_table[(crc ^ *at++) & 0xFF];
    return ~crc;
}

static void put_module(const struct module *modules, uint32_t index, uint32_t count)
{
    const struct module *module = modules + index;
    uint32_t low = (uint32_t)kernel_start, high = (uint32_t)kernel_end;
    if (module->end < module->start)
        panic("a module ends before it starts");
    if (module->start < high && module->end > low)
        panic("a module lies over the kernel");
    for (uint32_t other = index + 1; other < count; other++)
        if (module->start < modules[other].end && module->end > modules[other].start)
            panic("two modules lie over each other");
    put("MODULE ");
    put_decimal(index);
    put(" ");
    put(module->cmdline ? (const char *)module->cmdline : "");
    put(" ");
    put_decimal(module->end - module->start);
    put(" ");
    put_hex(crc32((const uint8_t *)module->start, module->end - module->start));
    put("\r\n");
}

__attribute__((used)) void kernel_main(uint32_t magic, const struct info *info)
{
    open_serial();
    if (magic != LOADER_MAGIC)
        panic("not started by a multiboot 1 loader");
    put_accelerator();
    put("LOADER ");
    if (info->flags & INFO_HAS_LOADER_NAME)
        put((const char *)info->loader_name);
    put("\r\n");
    put("KERNEL ");
    if (info->flags & INFO_HAS_CMDLINE)
        put((const char *)info->cmdline);
    put("\r\n");
    fill_crc_table();
    uint32_t count = info->flags & INFO_HAS_MODULES ? info->mods_count : 0;
    for (uint32_t index = 0; index < count; index++)
        put_module((const struct module *)info->mods_addr, index, count);
    put("DONE ");
    put_decimal(count);
    put("\r\n");
    finish(EXIT_DONE);
}
