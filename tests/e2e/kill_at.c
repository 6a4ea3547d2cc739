/* Preloaded into the program by test_kill.py: counts its calls that write, sync, send or receive, and ends it by
 * SIGKILL just before call number BURSAR_KILL_AT. So a death is tried between any two things that the world or the disk
 * sees. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;
static long kill_at;

__attribute__((constructor)) static void read_kill_at(void)
{
    const char *text = getenv("BURSAR_KILL_AT");
    kill_at = text ? strtol(text, NULL, 10) : 0;
}

static void count(void)
{
    if (atomic_fetch_add(&calls, 1) + 1 == kill_at)
        (void)kill(getpid(), SIGKILL);
}

/* A call that is counted, then made. */
#define COUNTED(type, name, parameters, arguments)                                                                     \
    type name parameters                                                                                               \
    {                                                                                                                  \
        static type(*_Atomic next) parameters;                                                                         \
        if (!next)                                                                                                     \
            next = (type(*) parameters)dlsym(RTLD_NEXT, #name);                                                        \
        count();                                                                                                       \
        return next arguments;                                                                                         \
    }

COUNTED(ssize_t, write, (int fd, const void *data, size_t bytes), (fd, data, bytes))
COUNTED(ssize_t, pwrite, (int fd, const void *data, size_t bytes, off_t at), (fd, data, bytes, at))
COUNTED(ssize_t, pwrite64, (int fd, const void *data, size_t bytes, off64_t at), (fd, data, bytes, at))
COUNTED(int, fsync, (int fd), (fd))
COUNTED(int, fdatasync, (int fd), (fd))
COUNTED(int, ftruncate, (int fd, off_t bytes), (fd, bytes))
COUNTED(int, ftruncate64, (int fd, off64_t bytes), (fd, bytes))
COUNTED(int, unlink, (const char *path), (path))
COUNTED(ssize_t, send, (int fd, const void *data, size_t bytes, int flags), (fd, data, bytes, flags))
COUNTED(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
COUNTED(ssize_t, recv, (int fd, void *data, size_t bytes, int flags), (fd, data, bytes, flags))
