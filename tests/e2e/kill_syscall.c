/* Runs a command under ptrace, counts the system calls of all its threads, and ends it by SIGKILL just before call
 * number K: that call is not made. test_crash_matrix.py tries every K with it. Unlike kill_at.c it sees what the C
 * library does by itself as well, and file locks, mappings, renames and closes.
 *
 * usage: kill_syscall [--at K] [--from NAME] -- COMMAND [ARGUMENT...]
 *   --at K       1 or more; not given: only count
 *   --from NAME  begin to count when a file is opened whose path ends in NAME; not given: at the command's start
 *
 * The last line on stderr says what happened. The exit code is the command's, or 128 + the signal that ended it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_SEEN_MAX_BYTES 4096
#define PAGE_BYTES 4096
#define EXIT_TROUBLE 125 /* of this program, not of the command */

struct trace {
    pid_t child;
    long kill_at;     /* 0: never */
    const char *from; /* NULL: count already */
    long count;
    uint64_t killed_before; /* number of the system call */
    bool has_killed;
};

static const struct {
    uint64_t number;
    const char *name;
} NAMES[] = {
    { SYS_write, "write" },         { SYS_pwrite64, "pwrite64" },   { SYS_read, "read" },
    { SYS_pread64, "pread64" },     { SYS_fsync, "fsync" },         { SYS_fdatasync, "fdatasync" },
    { SYS_ftruncate, "ftruncate" }, { SYS_openat, "openat" },       { SYS_close, "close" },
    { SYS_unlinkat, "unlinkat" },   { SYS_fcntl, "fcntl" },         { SYS_flock, "flock" },
    { SYS_mmap, "mmap" },           { SYS_munmap, "munmap" },       { SYS_sendto, "sendto" },
    { SYS_recvfrom, "recvfrom" },   { SYS_connect, "connect" },     { SYS_exit_group, "exit_group" },
    { SYS_fallocate, "fallocate" }, { SYS_renameat2, "renameat2" },
#ifdef SYS_unlink
    { SYS_unlink, "unlink" },
#endif
#ifdef SYS_rename
    { SYS_rename, "rename" },
#endif
#ifdef SYS_poll
    { SYS_poll, "poll" },
#endif
};

static const char *call_name(uint64_t number)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (NAMES[i].number == number)
            return NAMES[i].name;
    }
    return "another call";
}

static void fail(const char *doing)
{
    fprintf(stderr, "kill_syscall: %s: %s\n", doing, strerror(errno));
    exit(EXIT_TROUBLE); /* PTRACE_O_EXITKILL takes the command along */
}

/* The command's text at `address`. Page by page, as what follows its last page can't be read. */
static bool read_text(pid_t pid, uint64_t address, char ret[PATH_SEEN_MAX_BYTES])
{
    size_t have = 0;
    while (have < PATH_SEEN_MAX_BYTES) {
        size_t bytes = PAGE_BYTES - (address + have) % PAGE_BYTES;
        if (bytes > PATH_SEEN_MAX_BYTES - have)
            bytes = PATH_SEEN_MAX_BYTES - have;
        struct iovec here = { ret + have, bytes };
        struct iovec there = { (void *)(uintptr_t)(address + have), bytes };
        if (process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)bytes)
            return false;
        if (memchr(ret + have, '\0', bytes))
            return true;
        have += bytes;
    }
    return false;
}

static bool opens_marker(const struct trace *trace, pid_t pid, const struct __ptrace_syscall_info *call)
{
    char path[PATH_SEEN_MAX_BYTES];
    uint64_t address;
    if (call->entry.nr == SYS_openat)
        address = call->entry.args[1];
#ifdef SYS_open
    else if (call->entry.nr == SYS_open)
        address = call->entry.args[0];
#endif
    else
        return false;
    if (!read_text(pid, address, path))
        return false;
    size_t length = strlen(path), wanted = strlen(trace->from);
    return length >= wanted && strcmp(path + length - wanted, trace->from) == 0;
}

/* A thread stands just before or just after a system call. Killed before it, the kernel does not make it. */
static void at_call(struct trace *trace, pid_t pid)
{
    struct __ptrace_syscall_info call;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof call, &call) < 0) {
        if (errno != ESRCH) /* it may just have died */
            fail("PTRACE_GET_SYSCALL_INFO");
        return;
    }
    if (call.op != PTRACE_SYSCALL_INFO_ENTRY || trace->has_killed)
        return;
    if (trace->from && opens_marker(trace, pid, &call))
        trace->from = NULL;
    if (trace->from || ++trace->count != trace->kill_at)
        return;
    trace->killed_before = call.entry.nr;
    trace->has_killed = true;
    if (kill(trace->child, SIGKILL) != 0)
        fail("kill");
}

/* Until all threads and children of the command have ended. Returns the command's own status. */
static int follow(struct trace *trace)
{
    int last = 0;
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0 && errno == ECHILD)
            return last;
        if (pid < 0)
            fail("waitpid");
        if (!WIFSTOPPED(status)) {
            if (pid == trace->child)
                last = status;
            continue;
        }
        long deliver = 0;
        if (WSTOPSIG(status) == (SIGTRAP | 0x80))
            at_call(trace, pid);
        else if (status >> 16 == 0)
            deliver = WSTOPSIG(status);
        if (ptrace(PTRACE_SYSCALL, pid, 0, deliver) != 0 && errno != ESRCH)
            fail("PTRACE_SYSCALL");
    }
}

/* The command waits until it is traced, then begins. */
static pid_t start(char **command)
{
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) != 0)
        fail("pipe");
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        char byte;
        (void)close(gate[1]);
        if (read(gate[0], &byte, 1) == 0)
            (void)execvp(command[0], command);
        fprintf(stderr, "kill_syscall: %s: %s\n", command[0], strerror(errno));
        _exit(EXIT_TROUBLE);
    }
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                   PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SEIZE, child, 0, options) != 0)
        fail("PTRACE_SEIZE");
    (void)close(gate[0]);
    (void)close(gate[1]);
    return child;
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "at", required_argument, NULL, 'a' },
                                             { "from", required_argument, NULL, 'f' },
                                             { NULL, 0, NULL, 0 } };
    struct trace trace = { 0 };
    int option;
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (option == 'a' && strtol(optarg, NULL, 10) > 0)
            trace.kill_at = strtol(optarg, NULL, 10);
        else if (option == 'f')
            trace.from = optarg;
        else
            optind = argc;
    }
    if (optind >= argc) {
        fprintf(stderr, "usage: kill_syscall [--at K] [--from NAME] -- COMMAND [ARGUMENT...]\n");
        return EXIT_TROUBLE;
    }
    trace.child = start(argv + optind);
    int status = follow(&trace);
    if (trace.has_killed)
        fprintf(stderr, "kill_syscall: killed before call %ld (%s)\n", trace.count, call_name(trace.killed_before));
    else
        fprintf(stderr, "kill_syscall: ended after %ld calls\n", trace.count);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
