/* The little of Solidity's ABI that Bursar speaks: paying in a token (ERC-20), and what a contract says when it
 * refuses. Pure. */
#ifndef ETH_ABI_H
#define ETH_ABI_H

#include <bursar/amount.h>
#include <bursar/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ABI_WORD_BYTES 32
#define ABI_SELECTOR_BYTES 4

/* transfer(address,uint256) */
#define ABI_TRANSFER_BYTES (ABI_SELECTOR_BYTES + 2 * ABI_WORD_BYTES)
void abi_transfer_encode(const struct bursar_address *to, struct bursar_amount amount, uint8_t ret[ABI_TRANSFER_BYTES]);
/* False when the data is not that, and nothing but that; one more word may follow, which contracts do not read. */
bool abi_transfer_decode(const uint8_t *data, size_t data_bytes, struct bursar_address *ret_to,
                         struct bursar_amount *ret_amount);
/* balanceOf(address) */
#define ABI_BALANCE_OF_BYTES (ABI_SELECTOR_BYTES + ABI_WORD_BYTES)
void abi_balance_of_encode(const struct bursar_address *account, uint8_t ret[ABI_BALANCE_OF_BYTES]);
/* Topic 0 of Transfer(address,address,uint256) */
extern const uint8_t ABI_TRANSFER_TOPIC[ABI_WORD_BYTES];
/* Exactly one word that holds an address. */
bool abi_word_address(const uint8_t word[ABI_WORD_BYTES], struct bursar_address *ret);

/* The data of a revert in words: the text of Error(string), the meaning of Panic(uint256), else the selector of the
 * contract's own error. "" for no data. The contract chose the text: what is not printable ASCII becomes '?', and what
 * does not fit is cut off. */
void abi_revert_text(const uint8_t *data, size_t data_bytes, char *ret, size_t ret_bytes);

#endif
