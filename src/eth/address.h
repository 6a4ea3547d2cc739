/* Ethereum addresses: text with EIP-55 checksums, and the address of a public key. Pure. */
#ifndef ETH_ADDRESS_H
#define ETH_ADDRESS_H

#include <bursar/status.h>
#include <bursar/types.h>

#include <stddef.h>

/* "0x" + 40 digits + NUL */
#define ADDRESS_TEXT_BYTES 43
/* In EIP-55 mixed case. */
void address_to_text(const struct bursar_address *address, char ret[ADDRESS_TEXT_BYTES]);
/* "0x" + 40 digits; mixed case must pass EIP-55. On failure `err` says which of the two is wrong. */
BURSAR_MUST_CHECK enum bursar_status address_from_text(const char *text, size_t length, struct bursar_address *ret,
                                                       struct bursar_error *err);
/* From the 64 bytes X || Y of an uncompressed public key (without its 0x04). */
void address_from_public_key(const uint8_t public_key[64], struct bursar_address *ret);

#endif
