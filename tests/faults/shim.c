/* A disk that fails at its N-th operation, for a program that does not know of it.
 *
 * Loaded before the C library (LD_PRELOAD). Operations on files below one folder are counted in memory that
 * all processes of a trial share, so that "the N-th" is the N-th of the command and of what it starts. The
 * layout of `struct control` is that of `shim.py`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { WRITE = 1, SYNC = 2, RENAME = 4, CREATE = 8, OPEN = 16, LINK = 32, UNLINK = 64, MKDIR = 128 };

struct control {
    uint64_t armed;     /* 0: every call goes through, uncounted */
    uint64_t kinds;     /* which kinds count */
    uint64_t fail_at;   /* 1-based; 0: none fails */
    uint64_t for_good;  /* all after the first one fail as well */
    uint64_t error;     /* errno; 0: a short write */
    uint64_t counted;
    uint64_t failed;
    char root[1024];
    char first[1024];   /* the first one that failed: kind and name */
    int64_t clock_seconds; /* how far the wall clock is off */
};

static struct control *control;

__attribute__((constructor)) static void attach(void) {
    const char *path = getenv("DISTILL_FAULTY_DISK");
    if (!path) return;
    int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return;
    void *memory = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (memory != MAP_FAILED) control = memory;
}

static int is_below(const char *path) {
    size_t length = strlen(control->root);
    return strncmp(path, control->root, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static int name_of(int descriptor, char *into) {
    char link[64];
    if (descriptor == AT_FDCWD) strcpy(link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, into, 1000);
    if (length < 0) return 0;
    into[length] = 0;
    return 1;
}

static int full_name(int folder, const char *path, char *into) {
    if (path[0] == '/') {
        snprintf(into, 2048, "%s", path);
        return 1;
    }
    char start[1024];
    if (!name_of(folder, start)) return 0;
    snprintf(into, 2048, "%s/%s", start, path);
    return 1;
}

/* Whether this operation is the one that fails. */
static int fails(enum kind kind, const char *what, const char *name) {
    if (!(control->kinds & kind) || !is_below(name)) return 0;
    uint64_t number = __atomic_add_fetch(&control->counted, 1, __ATOMIC_SEQ_CST);
    if (!control->fail_at || number < control->fail_at) return 0;
    if (number > control->fail_at && !control->for_good) return 0;
    if (__atomic_fetch_add(&control->failed, 1, __ATOMIC_SEQ_CST) == 0)
        snprintf(control->first, sizeof control->first, "%s %s", what, name + strlen(control->root));
    return 1;
}

static int descriptor_fails(enum kind kind, const char *what, int descriptor) {
    char name[1024];
    if (!control || !control->armed) return 0;
    int saved = errno;
    int bad = name_of(descriptor, name) && fails(kind, what, name);
    errno = saved;
    return bad;
}

static int path_fails(enum kind kind, const char *what, int folder, const char *path) {
    char name[2048];
    if (!control || !control->armed) return 0;
    int saved = errno;
    int bad = full_name(folder, path, name) && fails(kind, what, name);
    errno = saved;
    return bad;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define REFUSE do { errno = (int)control->error; return -1; } while (0)

ssize_t write(int descriptor, const void *data, size_t size) {
    static ssize_t (*next)(int, const void *, size_t);
    if (!next) next = NEXT(write);
    if (!descriptor_fails(WRITE, "write", descriptor)) return next(descriptor, data, size);
    if (!control->error) return next(descriptor, data, size > 1 ? size / 2 : size);
    if (size > 1 && !control->for_good) next(descriptor, data, size / 2); /* a part lands all the same */
    REFUSE;
}

static ssize_t positioned(ssize_t (*next)(int, const void *, size_t, off_t), int descriptor, const void *data,
                          size_t size, off_t at) {
    if (!descriptor_fails(WRITE, "pwrite", descriptor)) return next(descriptor, data, size, at);
    if (!control->error) return next(descriptor, data, size > 1 ? size / 2 : size, at);
    REFUSE;
}
ssize_t pwrite(int descriptor, const void *data, size_t size, off_t at) {
    return positioned(NEXT(pwrite), descriptor, data, size, at);
}
ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t at) {
    return positioned(NEXT(pwrite64), descriptor, data, size, at);
}
ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    if (descriptor_fails(WRITE, "writev", descriptor) && control->error) REFUSE;
    return NEXT(writev)(descriptor, parts, count);
}

/* A sync that does not fail is not carried out: hundreds of trials would only wait for the disk. */
static int synced(int descriptor, int (*next)(int)) {
    if (descriptor_fails(SYNC, "fsync", descriptor)) REFUSE;
    return control && control->armed ? 0 : next(descriptor);
}
int fsync(int descriptor) { return synced(descriptor, NEXT(fsync)); }
int fdatasync(int descriptor) { return synced(descriptor, NEXT(fdatasync)); }

int ftruncate(int descriptor, off_t size) {
    if (descriptor_fails(UNLINK, "truncate", descriptor)) REFUSE;
    return NEXT(ftruncate)(descriptor, size);
}
int ftruncate64(int descriptor, off64_t size) {
    if (descriptor_fails(UNLINK, "truncate", descriptor)) REFUSE;
    return NEXT(ftruncate64)(descriptor, size);
}

static int opening_fails(int folder, const char *path, int flags) {
    if (flags & (O_CREAT | O_TRUNC)) return path_fails(CREATE, "create", folder, path);
    return path_fails(OPEN, "open", folder, path);
}
#define OPENS(name)                                                    \
    int name(const char *path, int flags, ...) {                       \
        va_list rest;                                                  \
        va_start(rest, flags);                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                  \
        static int (*next)(const char *, int, ...);                    \
        if (!next) next = NEXT(name);                                  \
        if (opening_fails(AT_FDCWD, path, flags)) REFUSE;              \
        return next(path, flags, mode);                                \
    }
#define OPENS_AT(name)                                                 \
    int name(int folder, const char *path, int flags, ...) {           \
        va_list rest;                                                  \
        va_start(rest, flags);                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                  \
        static int (*next)(int, const char *, int, ...);               \
        if (!next) next = NEXT(name);                                  \
        if (opening_fails(folder, path, flags)) REFUSE;                \
        return next(folder, path, flags, mode);                        \
    }
OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)

int clock_gettime(clockid_t clock, struct timespec *into) {
    static int (*next)(clockid_t, struct timespec *);
    if (!next) next = NEXT(clock_gettime);
    int ended = next(clock, into);
    if (!ended && control && clock == CLOCK_REALTIME) into->tv_sec += control->clock_seconds;
    return ended;
}
time_t time(time_t *into) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (into) *into = now.tv_sec;
    return now.tv_sec;
}

int rename(const char *old, const char *new) {
    if (path_fails(RENAME, "rename", AT_FDCWD, new)) REFUSE;
    return NEXT(rename)(old, new);
}
int renameat(int from, const char *old, int to, const char *new) {
    if (path_fails(RENAME, "rename", to, new)) REFUSE;
    return NEXT(renameat)(from, old, to, new);
}
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    if (path_fails(RENAME, "rename", to, new)) REFUSE;
    return NEXT(renameat2)(from, old, to, new, flags);
}
int link(const char *old, const char *new) {
    if (path_fails(LINK, "link", AT_FDCWD, new)) REFUSE;
    return NEXT(link)(old, new);
}
int linkat(int from, const char *old, int to, const char *new, int flags) {
    if (path_fails(LINK, "link", to, new)) REFUSE;
    return NEXT(linkat)(from, old, to, new, flags);
}
int unlink(const char *path) {
    if (path_fails(UNLINK, "unlink", AT_FDCWD, path)) REFUSE;
    return NEXT(unlink)(path);
}
int unlinkat(int folder, const char *path, int flags) {
    if (path_fails(UNLINK, "unlink", folder, path)) REFUSE;
    return NEXT(unlinkat)(folder, path, flags);
}
int mkdir(const char *path, mode_t mode) {
    if (path_fails(MKDIR, "mkdir", AT_FDCWD, path)) REFUSE;
    return NEXT(mkdir)(path, mode);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    if (path_fails(MKDIR, "mkdir", folder, path)) REFUSE;
    return NEXT(mkdirat)(folder, path, mode);
}
