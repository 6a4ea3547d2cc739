/* Memory for secrets: whole pages of their own, never swapped, left out of core dumps and of children, wiped when
 * freed. */
#ifndef SIGNER_LOCKED_MEMORY_H
#define SIGNER_LOCKED_MEMORY_H

#include <bursar/status.h>

#include <stddef.h>

/* Zeroed. ELIMIT when the system does not let this process lock that much (RLIMIT_MEMLOCK). */
BURSAR_MUST_CHECK enum bursar_status locked_memory_new(size_t bytes, void **ret, struct bursar_error *err);
/* `bytes` as at creation; NULL is fine. */
void locked_memory_free(void *memory, size_t bytes);

#endif
