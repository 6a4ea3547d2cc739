/* Fibers on ucontext, told to the address sanitizer where there is one. */
#include "fiber.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK_BYTES ((size_t)1024 * 1024)
#define GUARD_BYTES ((size_t)64 * 1024)

struct fiber {
    fiber_function *run;
    void *ctx;
    ucontext_t inside, outside;
    uint8_t *mapping; /* a guard, then the stack, which grows towards it */
    bool has_begun;
#ifdef HAS_ASAN
    void *fake_stack; /* of the fiber, while it is paused */
    const void *outer_stack;
    size_t outer_bytes;
#endif
};

static struct fiber *current;

struct fiber *fiber_new(fiber_function *run, void *ctx)
{
    struct fiber *fiber = calloc(1, sizeof *fiber);
    if (!fiber)
        return NULL;
    fiber->run = run;
    fiber->ctx = ctx;
    fiber->mapping =
        mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (fiber->mapping == MAP_FAILED || mprotect(fiber->mapping, GUARD_BYTES, PROT_NONE) != 0) {
        if (fiber->mapping != MAP_FAILED)
            (void)munmap(fiber->mapping, GUARD_BYTES + STACK_BYTES);
        free(fiber);
        return NULL;
    }
    return fiber;
}

static void body(void)
{
    struct fiber *fiber = current;
#ifdef HAS_ASAN
    __sanitizer_finish_switch_fiber(NULL, &fiber->outer_stack, &fiber->outer_bytes);
#endif
    fiber->run(fiber->ctx);
    fiber->has_begun = false;
#ifdef HAS_ASAN
    __sanitizer_start_switch_fiber(NULL, fiber->outer_stack, fiber->outer_bytes);
#endif
    (void)setcontext(&fiber->outside);
    abort(); /* setcontext returns only when it failed */
}

void fiber_run(struct fiber *fiber)
{
    assert(!current);
    current = fiber;
    if (!fiber->has_begun) {
        if (getcontext(&fiber->inside) != 0)
            abort();
        fiber->inside.uc_stack.ss_sp = fiber->mapping + GUARD_BYTES;
        fiber->inside.uc_stack.ss_size = STACK_BYTES;
        fiber->inside.uc_link = NULL;
        makecontext(&fiber->inside, body, 0);
        fiber->has_begun = true;
    }
#ifdef HAS_ASAN
    void *fake_stack = NULL;
    __sanitizer_start_switch_fiber(&fake_stack, fiber->mapping + GUARD_BYTES, STACK_BYTES);
#endif
    if (swapcontext(&fiber->outside, &fiber->inside) != 0)
        abort();
#ifdef HAS_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
    current = NULL;
}

bool fiber_is_paused(const struct fiber *fiber)
{
    return fiber->has_begun;
}

void fiber_pause(void)
{
    struct fiber *fiber = current;
    assert(fiber);
#ifdef HAS_ASAN
    __sanitizer_start_switch_fiber(&fiber->fake_stack, fiber->outer_stack, fiber->outer_bytes);
#endif
    if (swapcontext(&fiber->inside, &fiber->outside) != 0)
        abort();
#ifdef HAS_ASAN
    __sanitizer_finish_switch_fiber(fiber->fake_stack, &fiber->outer_stack, &fiber->outer_bytes);
#endif
}

bool fiber_is_inside(void)
{
    return current != NULL;
}

void fiber_free(struct fiber *fiber)
{
    if (!fiber)
        return;
    assert(!fiber->has_begun);
    (void)munmap(fiber->mapping, GUARD_BYTES + STACK_BYTES);
    free(fiber);
}
