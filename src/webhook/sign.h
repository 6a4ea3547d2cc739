/* What a receiver knows an event by: `Bursar-Signature: t=SECONDS,v1=HEX`, where HEX is HMAC-SHA256 of "SECONDS.BODY"
 * with the secret that both know. Pure. */
#ifndef WEBHOOK_SIGN_H
#define WEBHOOK_SIGN_H

#include <stddef.h>
#include <stdint.h>

#define WEBHOOK_SIGNATURE_TEXT_BYTES 96

void webhook_sign(const uint8_t *secret, size_t secret_bytes, uint64_t time_s, const char *body, size_t body_bytes,
                  char ret[WEBHOOK_SIGNATURE_TEXT_BYTES]);

#endif
