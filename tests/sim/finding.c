/* The first finding is kept: what comes after it may be its consequence. */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>

const char *property_name(enum property property)
{
    static const char *const names[] = {
#define X(name, text) [name] = text,
        PROPERTY_LIST(X)
#undef X
    };
    return names[property];
}

void finding_add(struct finding *finding, enum property property, uint64_t step, const char *format, ...)
{
    if (finding->property != PROPERTY_NONE)
        return;
    finding->property = property;
    finding->step = step;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(finding->text, sizeof finding->text, format, args);
    va_end(args);
}
