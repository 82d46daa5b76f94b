/* Names and texts of thrum's own errors. Those of the system are added by the loop on hosts. */
#include "core/errors.h"

#include <thrum/errors.h>

const char *(*thrum_system_error_hook)(int code, bool name);

#if THRUM_STRINGS

typedef struct error_text {
    int16_t code;
    const char *name, *text;
} error_text;

static const error_text texts[] = {
    {THRUM_OK, "THRUM_OK", "no error"},
    {THRUM_ECANCELED, "THRUM_ECANCELED", "cancelled"},
    {THRUM_ETIMEDOUT, "THRUM_ETIMEDOUT", "timed out"},
    {THRUM_ENOMEM, "THRUM_ENOMEM", "out of memory"},
    {THRUM_EINVAL, "THRUM_EINVAL", "invalid argument"},
    {THRUM_ESTATE, "THRUM_ESTATE", "not possible in this state"},
    {THRUM_EPENDING, "THRUM_EPENDING", "no result yet"},
    {THRUM_EDONE, "THRUM_EDONE", "has its result already"},
    {THRUM_EGROUP, "THRUM_EGROUP", "tasks of a group failed"},
    {THRUM_EINCOMPLETE, "THRUM_EINCOMPLETE", "end of file before all was read"},
    {THRUM_ELIMIT, "THRUM_ELIMIT", "no separator within the limit"},
    {THRUM_ECLOSED, "THRUM_ECLOSED", "closed"},
    {THRUM_EBUSY, "THRUM_EBUSY", "somebody waits here already"},
    {THRUM_ESHUTDOWN, "THRUM_ESHUTDOWN", "the queue or executor was shut down"},
    {THRUM_EEMPTY, "THRUM_EEMPTY", "the queue is empty"},
    {THRUM_EFULL, "THRUM_EFULL", "the queue is full"},
    {THRUM_EBROKEN, "THRUM_EBROKEN", "the barrier is broken"},
    {THRUM_ERESOLVE, "THRUM_ERESOLVE", "the name could not be looked up"},
    {THRUM_EUNSUPPORTED, "THRUM_EUNSUPPORTED", "not supported here"},
    {THRUM_EINTERRUPTED, "THRUM_EINTERRUPTED", "interrupted by a signal"},
    {THRUM_EEXIT, "THRUM_EEXIT", "asked to exit"},
    {THRUM_ESTOP, "THRUM_ESTOP", "no more items"},
    {THRUM_ELEFT, "THRUM_ELEFT", "the generator is being closed"},
    {THRUM_ETLS, "THRUM_ETLS", "TLS failed"},
    {THRUM_ECERTIFICATE, "THRUM_ECERTIFICATE", "the certificate was refused"},
    {THRUM_ETRUNCATED, "THRUM_ETRUNCATED", "the connection was cut off"},
};

static const char *look_up(int code, bool name)
{
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == code)
            return name ? texts[i].name : texts[i].text;
    if (code <= THRUM_EAPP_ && code >= THRUM_EAPP_LAST_)
        return name ? "EAPP" : "an error of the application";
    const char *system = thrum_system_error_hook ? thrum_system_error_hook(code, name) : NULL;
    return system ? system : name ? "E?" : "unknown error";
}

#else

static const char *look_up(int code, bool name)
{
    (void)code;
    (void)name;
    return "?";
}

#endif

const char *thrum_error_name(int code)
{
    return look_up(code, true);
}

const char *thrum_error_text(int code)
{
    return look_up(code, false);
}
