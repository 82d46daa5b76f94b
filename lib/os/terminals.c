/* Size and mode of terminals. */
#include <thrum/terminals.h>

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

_Static_assert(sizeof(struct termios) <= sizeof(thrum_terminal_mode), "a mode holds what the system says");

int thrum_terminal_get_size(int descriptor, thrum_terminal_size *size)
{
    struct winsize found;
    if (ioctl(descriptor, TIOCGWINSZ, &found))
        return -errno;
    size->rows = found.ws_row;
    size->columns = found.ws_col;
    return 0;
}

int thrum_terminal_set_size(int descriptor, const thrum_terminal_size *size)
{
    struct winsize wanted;
    if (!size || size->rows > UINT16_MAX || size->columns > UINT16_MAX)
        return THRUM_EINVAL;
    memset(&wanted, 0, sizeof wanted);
    wanted.ws_row = (unsigned short)size->rows;
    wanted.ws_col = (unsigned short)size->columns;
    return ioctl(descriptor, TIOCSWINSZ, &wanted) ? -errno : 0;
}

/* What cfmakeraw() does, which POSIX does not have. */
static void make_raw(struct termios *mode)
{
    mode->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    mode->c_oflag &= ~(tcflag_t)OPOST;
    mode->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    mode->c_cflag = (mode->c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    mode->c_cc[VMIN] = 1;
    mode->c_cc[VTIME] = 0;
}

int thrum_terminal_raw(int descriptor, thrum_terminal_mode *before)
{
    struct termios mode;
    if (tcgetattr(descriptor, &mode))
        return -errno;
    memcpy(before, &mode, sizeof mode);
    make_raw(&mode);
    return tcsetattr(descriptor, TCSADRAIN, &mode) ? -errno : 0;
}

int thrum_terminal_restore(int descriptor, const thrum_terminal_mode *before)
{
    struct termios mode;
    memcpy(&mode, before, sizeof mode);
    return tcsetattr(descriptor, TCSADRAIN, &mode) ? -errno : 0;
}
