/* What the oracle can find wrong, and the first thing it found. */
#ifndef SIM_FINDING_H
#define SIM_FINDING_H

#include <bursar/status.h>

#include <stdbool.h>
#include <stdint.h>

/* name, short name */
#define PROPERTY_LIST(X)                                                                                               \
    X(PROPERTY_NONE, "none")                                                                                           \
    X(PROPERTY_PAID_TWICE, "paid_twice")             /* more payments than refs that ask for them */                   \
    X(PROPERTY_PAID_UNASKED, "paid_unasked")         /* a payment that no ref asks for */                              \
    X(PROPERTY_PAID_CANCELLED, "paid_cancelled")     /* cancelled before it was bound, and paid */                     \
    X(PROPERTY_NOT_PAID, "not_paid")                 /* affordable, and without a true cause unpaid at the end */      \
    X(PROPERTY_TWO_PAYLOADS, "two_payloads")         /* one nonce was signed for two payments */                       \
    X(PROPERTY_TWO_NONCES, "two_nonces")             /* one ref's payment was signed for two living nonces */          \
    X(PROPERTY_NOT_FENCED, "not_fenced")             /* a write or signature went through without the token */         \
    X(PROPERTY_BELIEVED, "believed")                 /* acted on a look at another chain than the pinned one */        \
    X(PROPERTY_NOT_STOPPED, "not_stopped")           /* spent while a breaker is open, that only a person closes */    \
    X(PROPERTY_NOT_TRIPPED, "not_tripped")           /* spent though the money breaker had to open before */           \
    X(PROPERTY_FALSE_TRIP, "false_trip")             /* the money breaker opens for what did not happen */             \
    X(PROPERTY_UNBOUNDED, "unbounded")               /* more bound, at once or in flight, than was configured */       \
    X(PROPERTY_NOT_DURABLE, "not_durable")           /* bytes on the wire that had not been staged */                  \
    X(PROPERTY_FREED, "freed")                       /* a nonce was given up that no stranger has used, finally */     \
    X(PROPERTY_SUMS, "sums")                         /* what the account spent is not what was paid and burnt */       \
    X(PROPERTY_STORE_UNTRUE, "store_untrue")         /* the store calls final what the chain does not show */          \
    X(PROPERTY_RECONCILE_UNTRUE, "reconcile_untrue") /* reconcile says what is not so */                               \
    X(PROPERTY_HALT_UNTRUE, "halt_untrue")           /* halted for a reason that nothing justifies */                  \
    X(PROPERTY_NOT_IDLE, "not_idle")                 /* everything is healed, and it does not come to rest */          \
    X(PROPERTY_ADOPT_UNTRUE, "adopt_untrue")         /* what was adopted is not what was said, or not so */            \
    X(PROPERTY_FALSE_BALANCE, "false_balance")       /* a look shows what the account did not have at that block */    \
    X(PROPERTY_FALSE_VERDICT, "false_verdict")       /* refused, they say, and a node may have it */                   \
    X(PROPERTY_BROKEN, "broken")                     /* what must work when nothing is wrong does not */

enum property {
#define X(name, text) name,
    PROPERTY_LIST(X)
#undef X
};
const char *property_name(enum property property);

struct finding {
    enum property property;
    uint64_t step;
    char text[480];
};

/* The first one is kept. */
void finding_add(struct finding *finding, enum property property, uint64_t step, const char *format, ...)
    BURSAR_PRINTF(4, 5);

#endif
