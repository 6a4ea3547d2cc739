/* See sign.h. */
#include "webhook/sign.h"

#include "base/bytes.h"

#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>

void webhook_sign(const uint8_t *secret, size_t secret_bytes, uint64_t time_s, const char *body, size_t body_bytes,
                  char ret[WEBHOOK_SIGNATURE_TEXT_BYTES])
{
    struct hmac_sha256_ctx hmac;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char hex[SHA256_DIGEST_SIZE * 2 + 1], time_text[24];
    (void)snprintf(time_text, sizeof time_text, "%llu", (unsigned long long)time_s);
    hmac_sha256_set_key(&hmac, secret_bytes, secret);
    hmac_sha256_update(&hmac, strlen(time_text), (const uint8_t *)time_text);
    hmac_sha256_update(&hmac, 1, (const uint8_t *)".");
    hmac_sha256_update(&hmac, body_bytes, (const uint8_t *)body);
    hmac_sha256_digest(&hmac, sizeof digest, digest);
    explicit_bzero(&hmac, sizeof hmac);
    hex_encode(digest, sizeof digest, hex);
    (void)snprintf(ret, WEBHOOK_SIGNATURE_TEXT_BYTES, "t=%s,v1=%s", time_text, hex);
}
