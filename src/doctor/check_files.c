/* Files and the disk under them: readable by whom they should be, and with room to go on. */
#include "doctor/checks.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MEBIBYTE ((uint64_t)1 << 20)
#define DISK_WRONG_BYTES (16 * MEBIBYTE)    /* a batch in flight, its log and its events need less */
#define DISK_WARNING_BYTES (256 * MEBIBYTE) /* the store's own log may grow to 64 */
#define LOCKS_READ_COUNT 10
#define LOCKS_BUFFER_BYTES 65536
#define OTHERS (S_IRWXG | S_IRWXO)

bool doctor_file(const struct doctor *doctor, const char *name, const char *path)
{
    struct stat about;
    char action[CHECK_TEXT_MAX_BYTES];
    struct finding finding = { .name = name, .subject = path, .result = CHECK_WRONG, .grade = GRADE_PERSON };
    if (stat(path, &about) != 0) {
        int error = errno;
        finding.action = error == ENOENT ? "put it there, or correct its path in bursar.conf"
                                         : "give the user that runs Bursar access to it and to the folders above it";
        doctor_tell(doctor, finding, "can't be found: %s", strerror(error));
        return false;
    }
    if (!S_ISREG(about.st_mode)) {
        finding.action = "correct its path in bursar.conf";
        doctor_tell(doctor, finding, "is not a regular file");
        return false;
    }
    if (access(path, R_OK) != 0) {
        int error = errno;
        finding.action = action;
        (void)snprintf(action, sizeof action, "chown it to the user that runs Bursar, then: chmod 600 %.600s", path);
        doctor_tell(doctor, finding, "can't be read: %s (owner uid %lu, mode %04o)", strerror(error),
                    (unsigned long)about.st_uid, (unsigned)about.st_mode & 07777U);
        return false;
    }
    if (about.st_mode & OTHERS) {
        finding.result = CHECK_WARNING;
        finding.action = action;
        (void)snprintf(action, sizeof action, "chmod 600 %.600s", path);
        doctor_tell(doctor, finding, "others than its owner may use it (mode %04o)", (unsigned)about.st_mode & 07777U);
        return true;
    }
    finding.result = CHECK_OK;
    doctor_tell(doctor, finding, "readable, by its owner only");
    return true;
}

bool doctor_same_disk(const char *path, const char *other)
{
    struct stat one, two;
    return stat(path, &one) != 0 || stat(other, &two) != 0 || one.st_dev == two.st_dev;
}

enum check_result disk_result(uint64_t free_bytes)
{
    if (free_bytes < DISK_WRONG_BYTES)
        return CHECK_WRONG;
    return free_bytes < DISK_WARNING_BYTES ? CHECK_WARNING : CHECK_OK;
}

void doctor_disk(const struct doctor *doctor, const char *name, const char *path)
{
    struct statvfs disk;
    struct finding finding = { .name = name, .subject = path, .result = CHECK_NOT_CHECKED };
    if (statvfs(path, &disk) != 0) {
        doctor_tell(doctor, finding, "it can't be asked: %s", strerror(errno));
        return;
    }
    const uint64_t left = (uint64_t)disk.f_bavail * disk.f_frsize;
    finding.result = disk_result(left);
    finding.grade = GRADE_PERSON;
    if (disk.f_flag & ST_RDONLY) {
        finding.result = CHECK_WRONG;
        finding.action = "mount it writable: an executor writes before it pays";
        doctor_tell(doctor, finding, "the file system is read-only");
        return;
    }
    if (finding.result != CHECK_OK)
        finding.action = "make room there: without it nothing is signed or paid";
    doctor_tell(doctor, finding, "%" PRIu64 " MiB left%s", left / MEBIBYTE,
                finding.result == CHECK_OK ? "" : ": nearly full");
}

/* A line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF". Some file systems show another device there
 * than stat does, so a file is told by its inode alone. */
static bool is_lock_on(char *line, uint64_t inode, uint64_t *ret_pid)
{
    enum { TYPE = 1, ACCESS = 3, PID = 4, PLACE = 5, FIELDS = 6 };
    const char *fields[FIELDS] = { 0 };
    char *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(line, " ", &rest); word && count < FIELDS; word = strtok_r(NULL, " ", &rest))
        fields[count++] = word;
    if (count < FIELDS || strcmp(fields[TYPE], "FLOCK") != 0 || strcmp(fields[ACCESS], "WRITE") != 0)
        return false;
    const char *colon = strrchr(fields[PLACE], ':');
    uint64_t locked, pid;
    if (!colon || !u64_from_text(colon + 1, strlen(colon + 1), 0, UINT64_MAX, &locked) || locked != inode ||
        !u64_from_text(fields[PID], strlen(fields[PID]), 1, UINT64_MAX, &pid))
        return false;
    *ret_pid = pid;
    return true;
}

static uint64_t read_locks(uint64_t inode)
{
    char line[256], buffer[LOCKS_BUFFER_BYTES];
    uint64_t pid = 0;
    FILE *locks = fopen("/proc/locks", "re");
    if (!locks)
        return 0;
    (void)setvbuf(locks, buffer, _IOFBF, sizeof buffer); /* in as few pieces as the kernel makes of it */
    while (!pid && fgets(line, sizeof line, locks))
        (void)is_lock_on(line, inode, &pid);
    (void)fclose(locks);
    return pid;
}

/* The kernel hands the list out in pieces: while others come and go, a line between two of them can be left out. */
uint64_t lock_holder(const char *path)
{
    struct stat about;
    uint64_t pid = 0;
    if (stat(path, &about) != 0)
        return 0;
    for (int tries = 0; !pid && tries < LOCKS_READ_COUNT; tries++)
        pid = read_locks(about.st_ino);
    return pid;
}
