/* What a node can take at most: the ceiling that scripts/bench measures the program against.
 *
 *   feed_node feed  URL KEYSTORE PASSWORD_FILE COUNT CONNECTIONS BATCH IN_FLIGHT
 *   feed_node watch URL ADDRESS COUNT
 *
 * `feed` signs COUNT transfers beforehand, writes the HTTP requests beforehand too, and then hands them over on
 * CONNECTIONS kept-alive connections, BATCH a request, with at most IN_FLIGHT not yet included. It keeps no record and
 * would pay twice after a crash: it is the yardstick, not a way to pay. `watch` only looks on while somebody else pays.
 *
 * Both print how long it took from the first transaction that the node knew to the block with the last one, seen by
 * the same observer. Only for a node on this machine that nobody else uses. */
#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/time.h"
#include "chain/evm_codec.h"
#include "eth/address.h"
#include "eth/keccak.h"
#include "rpc/http_rpc.h"
#include "rpc/rpc_codec.h"
#include "signer/private_key.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHAIN_ID 31337
#define COUNT_MAX 1000000
#define CONNECTIONS_MAX 64
#define REPLY_MAX_BYTES ((size_t)1024 * 1024)
#define LOOK_MS 5
#define HANG_MS 300000 /* without progress */
#define TIMEOUT_MS 60000

/* One POST with a batch of eth_sendRawTransaction. */
struct message {
    struct buf text;
    size_t calls;
};

struct run {
    const char *url;
    struct sockaddr_in node;
    struct bursar_address account;
    uint64_t count, batch, in_flight;
    struct message *messages;
    size_t message_count;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t moved;
    size_t next_message;
    uint64_t handed_over, included;
    bool failed;
};

static void give_up(struct run *run, const char *what)
{
    (void)pthread_mutex_lock(&run->lock);
    if (!run->failed)
        (void)fprintf(stderr, "feed_node: %s\n", what);
    run->failed = true;
    (void)pthread_cond_broadcast(&run->moved);
    (void)pthread_mutex_unlock(&run->lock);
}

/* -- beforehand ---------------------------------------------------------------------------------------------------- */

/* An address of nobody's, another one for each index. */
static struct bursar_address destination(uint64_t index)
{
    struct bursar_hash hash;
    struct bursar_address address;
    uint64_t seed[2] = { index, 0x6265656e6368 };
    keccak256(seed, sizeof seed, &hash);
    memcpy(address.bytes, hash.bytes, sizeof address.bytes);
    return address;
}

static enum bursar_status sign_transfer(const struct private_key *key, uint64_t nonce, struct buf *raw,
                                        struct bursar_error *err)
{
    const struct eth_transaction tx = { .chain_id = CHAIN_ID,
                                        .nonce = nonce,
                                        .max_priority_fee_per_gas_wei = 1000000000,
                                        .max_fee_per_gas_wei = 1000000000,
                                        .gas_limit = 21000,
                                        .to = destination(nonce),
                                        .value_wei = bursar_amount_from_u64(1000000000 + nonce) };
    struct eth_signature signature;
    struct bursar_hash hash;
    enum bursar_status status = eth_transaction_signing_hash(&tx, &hash, err);
    if (status == BURSAR_OK)
        status = private_key_sign(key, &hash, &signature, err);
    return status == BURSAR_OK ? eth_transaction_encode(&tx, &signature, raw, &hash, err) : status;
}

/* Appends one call of the batch. */
static enum bursar_status write_call(const struct private_key *key, uint64_t nonce, struct buf *body,
                                     struct bursar_error *err)
{
    cleanup(buf_free) struct buf raw = { 0 };
    char text[1024];
    enum bursar_status status = sign_transfer(key, nonce, &raw, err);
    if (status != BURSAR_OK)
        return status;
    if (2 * raw.length_bytes + 1 > sizeof text)
        return bursar_fail(err, BURSAR_EINTERNAL, "a transfer of %zu bytes", raw.length_bytes);
    hex_encode((const uint8_t *)raw.data, raw.length_bytes, text);
    if (buf_append_format(body,
                          "%s{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64
                          ",\"method\":\"eth_sendRawTransaction\",\"params\":[\"0x%s\"]}",
                          body->length_bytes ? "," : "[", nonce, text))
        return BURSAR_OK;
    return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
}

static enum bursar_status write_message(const struct private_key *key, uint64_t first_nonce, size_t calls,
                                        struct message *ret, struct bursar_error *err)
{
    cleanup(buf_free) struct buf body = { 0 };
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < calls && status == BURSAR_OK; i++)
        status = write_call(key, first_nonce + i, &body, err);
    if (status != BURSAR_OK)
        return status;
    ret->calls = calls;
    if (buf_append_text(&body, "]") &&
        buf_append_format(&ret->text,
                          "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                          "Content-Length: %zu\r\n\r\n",
                          body.length_bytes) &&
        buf_append(&ret->text, body.data, body.length_bytes))
        return BURSAR_OK;
    return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
}

static enum bursar_status write_messages(struct run *run, const struct private_key *key, struct bursar_error *err)
{
    run->message_count = (size_t)((run->count + run->batch - 1) / run->batch);
    run->messages = calloc(run->message_count, sizeof *run->messages);
    if (!run->messages)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < run->message_count && status == BURSAR_OK; i++) {
        uint64_t first = i * run->batch, left = run->count - first;
        status = write_message(key, first, (size_t)(left < run->batch ? left : run->batch), &run->messages[i], err);
    }
    return status;
}

/* -- feeding ------------------------------------------------------------------------------------------------------- */

static int connect_to(const struct sockaddr_in *node)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (const struct sockaddr *)node, sizeof *node) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static bool send_all(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0 && errno != EINTR)
            return false;
        if (sent > 0) {
            bytes += sent;
            length -= (size_t)sent;
        }
    }
    return true;
}

/* How long the reply in `text` is as a whole; 0 while its head is not complete, SIZE_MAX if it can't be told. */
static size_t reply_length(const char *text)
{
    static const char name[] = "content-length:";
    const char *end = strstr(text, "\r\n\r\n");
    const char *field = strcasestr(text, name);
    uint64_t body = 0;
    if (!end)
        return 0;
    if (!field || field > end)
        return SIZE_MAX;
    field += sizeof name - 1;
    field += strspn(field, " ");
    if (!u64_from_text(field, strcspn(field, "\r"), 0, REPLY_MAX_BYTES, &body))
        return SIZE_MAX;
    return (size_t)(end - text) + 4 + (size_t)body;
}

static bool receive_reply(int fd, char *text)
{
    size_t have = 0, wanted = 0;
    text[0] = '\0';
    while (wanted == 0 || have < wanted) {
        ssize_t got = have < REPLY_MAX_BYTES ? recv(fd, text + have, REPLY_MAX_BYTES - have, 0) : -1;
        if (got <= 0)
            return false;
        have += (size_t)got;
        text[have] = '\0';
        if (wanted == 0)
            wanted = reply_length(text);
        if (wanted == SIZE_MAX)
            return false;
    }
    return true;
}

/* The next message to hand over, as soon as its calls may be in flight; NULL: none is left. */
static const struct message *take_message(struct run *run)
{
    const struct message *message = NULL;
    (void)pthread_mutex_lock(&run->lock);
    while (!run->failed && run->next_message < run->message_count &&
           run->handed_over + run->messages[run->next_message].calls > run->included + run->in_flight)
        (void)pthread_cond_wait(&run->moved, &run->lock);
    if (!run->failed && run->next_message < run->message_count) {
        message = &run->messages[run->next_message++];
        run->handed_over += message->calls;
    }
    (void)pthread_mutex_unlock(&run->lock);
    return message;
}

static void *feed(void *ctx)
{
    struct run *run = ctx;
    const struct message *message;
    char *reply = malloc(REPLY_MAX_BYTES + 1);
    int fd = connect_to(&run->node);
    if (!reply || fd < 0)
        give_up(run, "no connection to the node");
    while (reply && fd >= 0 && (message = take_message(run))) {
        if (!send_all(fd, message->text.data, message->text.length_bytes) || !receive_reply(fd, reply))
            give_up(run, "the node closed a connection");
        else if (strstr(reply, "\"error\""))
            give_up(run, reply);
    }
    if (fd >= 0)
        (void)close(fd);
    free(reply);
    return NULL;
}

/* -- looking on ---------------------------------------------------------------------------------------------------- */

/* The account's next nonce at "latest" or "pending". */
static bool read_nonce(struct run *run, const struct rpc *rpc, const char *at, uint64_t *ret)
{
    struct rpc_reply reply = { 0 };
    struct bursar_error err = { 0 };
    struct rpc_request request = { .method = "eth_getTransactionCount",
                                   .params = json_pack("[os]", evm_write_address(&run->account), at) };
    bool ok = request.params && rpc->call(rpc->ctx, &request, 1, &reply, &err) == BURSAR_OK &&
              reply.outcome == RPC_RESULT && evm_read_number(reply.result, ret);
    if (!ok)
        give_up(run, err.message[0] ? err.message : reply.message);
    rpc_replies_clear(&reply, 1);
    return ok;
}

/* From the first transaction that the node knows to the block with the last one. */
static bool look_on(struct run *run, uint64_t *ret_took_ms)
{
    struct clock clock = system_clock();
    struct http_rpc *http = NULL;
    struct bursar_error err = { 0 };
    if (http_rpc_new(run->url, TIMEOUT_MS, NULL, NULL, &http, &err) != BURSAR_OK) {
        give_up(run, err.message);
        return false;
    }
    struct rpc rpc = http_rpc_interface(http);
    uint64_t nonce = 0, first_ms = 0, moved_ms = clock.monotonic_ms(clock.ctx), now_ms = moved_ms;
    (void)printf("looking on\n");
    (void)fflush(stdout);
    while (nonce < run->count && read_nonce(run, &rpc, first_ms ? "latest" : "pending", &nonce)) {
        now_ms = clock.monotonic_ms(clock.ctx);
        if (first_ms == 0 && nonce > 0) {
            first_ms = now_ms;
            nonce = 0;
        }
        (void)pthread_mutex_lock(&run->lock);
        if (nonce > run->included)
            moved_ms = now_ms;
        run->included = nonce;
        (void)pthread_cond_broadcast(&run->moved);
        (void)pthread_mutex_unlock(&run->lock);
        if (now_ms - moved_ms > HANG_MS)
            give_up(run, "no progress");
        if (run->failed)
            break;
        (void)usleep(LOOK_MS * 1000);
    }
    http_rpc_free(http);
    *ret_took_ms = now_ms - first_ms;
    return !run->failed;
}

static int report(const struct run *run, uint64_t took_ms)
{
    (void)printf("{\"count\": %" PRIu64 ", \"ms\": %" PRIu64 ", \"per_s\": %" PRIu64 "}\n", run->count, took_ms,
                 run->count * 1000 / (took_ms ? took_ms : 1));
    return 0;
}

static int feed_and_look_on(struct run *run, size_t connections)
{
    pthread_t threads[CONNECTIONS_MAX];
    size_t started = 0;
    uint64_t took_ms = 0;
    while (started < connections && pthread_create(&threads[started], NULL, feed, run) == 0)
        started++;
    if (started < connections)
        give_up(run, "no more threads");
    bool ok = look_on(run, &took_ms);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    return ok ? report(run, took_ms) : 1;
}

/* -- arguments ----------------------------------------------------------------------------------------------------- */

static int failed(const struct bursar_error *err)
{
    (void)fprintf(stderr, "feed_node: %s\n", err->message);
    return 1;
}

static bool number(const char *text, uint64_t most, uint64_t *ret)
{
    return u64_from_text(text, strlen(text), 1, most, ret);
}

static bool node_address(const char *url, struct sockaddr_in *ret)
{
    static const char prefix[] = "http://127.0.0.1:";
    uint64_t port;
    if (strncmp(url, prefix, sizeof prefix - 1) != 0 || !number(url + sizeof prefix - 1, UINT16_MAX, &port))
        return false;
    *ret = (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    return true;
}

static int main_feed(struct run *run, char **arguments)
{
    uint64_t connections;
    struct private_key *key = NULL;
    struct bursar_error err = { 0 };
    if (!number(arguments[2], COUNT_MAX, &run->count) || !number(arguments[3], CONNECTIONS_MAX, &connections) ||
        !number(arguments[4], 1000, &run->batch) || !number(arguments[5], COUNT_MAX, &run->in_flight))
        return 2;
    if (run->in_flight < run->batch)
        run->in_flight = run->batch;
    if (keystore_open(arguments[0], arguments[1], &key, &err) != BURSAR_OK)
        return failed(&err);
    private_key_address(key, &run->account);
    enum bursar_status status = write_messages(run, key, &err);
    int code = status == BURSAR_OK ? feed_and_look_on(run, (size_t)connections) : failed(&err);
    for (size_t i = 0; run->messages && i < run->message_count; i++)
        buf_free(&run->messages[i].text);
    free(run->messages);
    private_key_free(key);
    return code;
}

static int main_watch(struct run *run, char **arguments)
{
    uint64_t took_ms = 0;
    struct bursar_error err = { 0 };
    if (!number(arguments[1], COUNT_MAX, &run->count))
        return 2;
    if (address_from_text(arguments[0], strlen(arguments[0]), &run->account, &err) != BURSAR_OK)
        return failed(&err);
    return look_on(run, &took_ms) ? report(run, took_ms) : 1;
}

int main(int argc, char **argv)
{
    struct run run = { .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER };
    int code = 2;
    if (argc > 2 && node_address(argv[2], &run.node)) {
        run.url = argv[2];
        if (argc == 9 && strcmp(argv[1], "feed") == 0)
            code = main_feed(&run, argv + 3);
        else if (argc == 5 && strcmp(argv[1], "watch") == 0)
            code = main_watch(&run, argv + 3);
    }
    if (code == 2)
        (void)fprintf(stderr,
                      "usage: feed_node feed http://127.0.0.1:PORT KEYSTORE PASSWORD_FILE COUNT CONNECTIONS BATCH "
                      "IN_FLIGHT\n       feed_node watch http://127.0.0.1:PORT ADDRESS COUNT\n");
    return code;
}
