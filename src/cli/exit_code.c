/* The one place where a status becomes an exit code. */
#include "cli/exit_code.h"

enum exit_code exit_code_of(enum bursar_status status)
{
    switch (status) {
    case BURSAR_OK:
        return EXIT_CODE_DONE;
    case BURSAR_EUSAGE:
        return EXIT_CODE_USAGE;
    case BURSAR_EINVAL:
    case BURSAR_ELIMIT:
    case BURSAR_ECONFLICT:
    case BURSAR_ENOTFOUND:
    case BURSAR_EEXIST:
        return EXIT_CODE_INVALID;
    case BURSAR_EUNREACHABLE:
    case BURSAR_EUNKNOWN:
    case BURSAR_EPROTOCOL:
    case BURSAR_ESTORAGE:
    case BURSAR_EBUSY:
        return EXIT_CODE_UNREACHABLE;
    case BURSAR_EREFUSED:
    case BURSAR_EEQUIVOCATION:
    case BURSAR_EFENCED:
        return EXIT_CODE_REFUSED;
    case BURSAR_EINTERNAL:
    case BURSAR_ENOMEM:
    case BURSAR_ESTALE:
    case BURSAR_ECANCELLED:
        return EXIT_CODE_INTERNAL;
    }
    return EXIT_CODE_INTERNAL;
}
