// AWAIT of something that cannot be awaited.
// error gcc: ._Generic. selector of type .thrum_group \*. is not compatible
// error clang: controlling expression type 'thrum_group \*'.* not compatible
#include "../trap.h"
ASYNC(f, ARGS((thrum_group *, g)), LOCALS_NONE)
{
    ASYNC_BEGIN;
    AWAIT(self->g);
    ASYNC_END;
}
