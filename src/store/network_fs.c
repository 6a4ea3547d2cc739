/* Magic numbers of statfs(2), from its manual page and linux/magic.h. */
#include "store/network_fs.h"

#include <stddef.h>

const char *network_fs_name(uint64_t type)
{
    switch ((uint32_t)type) {
    case 0x6969:
        return "NFS";
    case 0x517b:
        return "SMB";
    case 0xfe534d42:
        return "SMB2";
    case 0xff534d42:
        return "CIFS";
    case 0x564c:
        return "NCP";
    case 0x5346414f:
    case 0x6b414653:
        return "AFS";
    case 0x73757245:
        return "Coda";
    case 0x00c36400:
        return "Ceph";
    case 0x0bd00bd0:
        return "Lustre";
    }
    return NULL;
}
