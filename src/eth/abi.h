/* The little of Solidity's ABI that Bursar speaks: what a contract says when it refuses. Pure. */
#ifndef ETH_ABI_H
#define ETH_ABI_H

#include <stddef.h>
#include <stdint.h>

#define ABI_WORD_BYTES 32
#define ABI_SELECTOR_BYTES 4

/* The data of a revert in words: the text of Error(string), the meaning of Panic(uint256), else the selector of the
 * contract's own error. "" for no data. The contract chose the text: what is not printable ASCII becomes '?', and what
 * does not fit is cut off. */
void abi_revert_text(const uint8_t *data, size_t data_bytes, char *ret, size_t ret_bytes);

#endif
