/* Which file systems live on another machine. */
#ifndef STORE_NETWORK_FS_H
#define STORE_NETWORK_FS_H

#include <stdint.h>

/* The name of the network file system with this statfs(2) f_type, or NULL for any other. */
const char *network_fs_name(uint64_t type);

#endif
