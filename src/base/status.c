/* The one list of status codes, as text and remedy. */
#include <bursar/status.h>

#include <stdarg.h>
#include <stdio.h>

const char *bursar_status_text(enum bursar_status status)
{
    switch (status) {
#define X(name, number, remedy, text)                                                                                  \
    case BURSAR_##name:                                                                                                \
        return text;
        BURSAR_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

enum bursar_remedy bursar_status_remedy(enum bursar_status status)
{
    switch (status) {
#define X(name, number, remedy, text)                                                                                  \
    case BURSAR_##name:                                                                                                \
        return BURSAR_REMEDY_##remedy;
        BURSAR_STATUS_LIST(X)
#undef X
    }
    return BURSAR_REMEDY_STOP;
}

enum bursar_status(bursar_fail)(struct bursar_error *err, enum bursar_status status, const char *format, ...)
{
    if (err) {
        err->status = status;
        va_list args;
        va_start(args, format);
        (void)vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
    }
    return status;
}
