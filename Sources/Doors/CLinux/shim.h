// The door to the parts of Linux that Swift's Glibc module does not carry: epoll, eventfd, splice, netlink.
#ifndef PENSTOCK_CLINUX_SHIM_H
#define PENSTOCK_CLINUX_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
// The headers of the C library come before the kernel's, which then leave out what both define.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/aio_abi.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/sock_diag.h>
#include <linux/stat.h>

// Declared here because <fcntl.h> and its like show them only under _GNU_SOURCE, which would make the C library's other
// declarations differ from those of Swift's Glibc module.
extern long syscall(long number, ...);
extern int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
extern int pipe2(int descriptors[2], int flags);
extern void *memmem(const void *bytes, size_t count, const void *part, size_t part_count);
extern ssize_t splice(int in, loff_t *in_offset, int out, loff_t *out_offset, size_t count, unsigned int flags);
extern int renameat2(int old_folder, const char *old_name, int new_folder, const char *new_name, unsigned int flags);
enum { CLINUX_RENAME_NOREPLACE = 1 };
enum { CLINUX_SPLICE_F_MOVE = 1, CLINUX_SPLICE_F_NONBLOCK = 2, CLINUX_F_SETPIPE_SZ = 1031 };

// A word that one thread of this process sleeps on: 0 nothing has happened, 1 it is signalled, 2 somebody sleeps.
static inline void clinux_word_signal(uint32_t *word) {
    if (__atomic_exchange_n(word, 1, __ATOMIC_SEQ_CST) == 2) {
        syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, (void *)0, (void *)0, 0);
    }
}
// Takes the signal, or sleeps until there is one, the time is over or a signal handler has run; whether there was one.
static inline int clinux_word_wait(uint32_t *word, const struct timespec *timeout) {
    uint32_t nothing = 0;
    if (__atomic_compare_exchange_n(word, &nothing, 2, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 2, timeout, (void *)0, 0);
    }
    return __atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST) == 1;
}

// struct epoll_event holds a union with a pointer in it; this one has the same layout and no pointer.
struct clinux_epoll_event {
    uint32_t events;
    uint64_t token;
} __attribute__((packed));
_Static_assert(sizeof(struct clinux_epoll_event) == sizeof(struct epoll_event), "the kernel reads this as its own");
static inline int clinux_epoll_ctl(int set, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(set, operation, descriptor, &event);
}
static inline int clinux_epoll_wait(int set, struct clinux_epoll_event *events, int capacity, int milliseconds) {
    return epoll_wait(set, (struct epoll_event *)events, capacity, milliseconds);
}

// The C library has none of the calls for several operations at once (aio(7) of it is another thing).
static inline int clinux_io_setup(unsigned most, aio_context_t *context) {
    return (int)syscall(SYS_io_setup, most, context);
}
static inline int clinux_io_destroy(aio_context_t context) { return (int)syscall(SYS_io_destroy, context); }
static inline long clinux_io_submit(aio_context_t context, long count, struct iocb **operations) {
    return syscall(SYS_io_submit, context, count, operations);
}
// Waits for so many of them at least, without end where `timeout` is null.
static inline int clinux_io_getevents(
    aio_context_t context, long least, long most, struct io_event *events, struct timespec *timeout) {
    return (int)syscall(SYS_io_getevents, context, least, most, events, timeout);
}
// What writes octets; the number comes back with its result.
static inline struct iocb clinux_write_operation(int fd, const void *octets, size_t count, uint64_t number) {
    return (struct iocb){
        .aio_data = number,
        .aio_lio_opcode = IOCB_CMD_PWRITE,
        .aio_fildes = (uint32_t)fd,
        .aio_buf = (uint64_t)(uintptr_t)octets,
        .aio_nbytes = count,
    };
}

// The C library has no capset(2). Gives up the calling thread's capabilities but these (bits 0 to 31), and what a program run
// later could gain.
static inline int clinux_keep_only_capabilities(uint32_t kept) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{kept, kept, 0}};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return (int)syscall(SYS_capset, &header, data);
}

// open(2) and fcntl(2) are variadic, which Swift cannot call.
static inline int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
static inline int clinux_openat(int dir, const char *path, int flags, mode_t mode) { return openat(dir, path, flags, mode); }
static inline int clinux_fcntl_int(int fd, int command, int argument) { return fcntl(fd, command, argument); }

// statx(2), which <sys/stat.h> shows only under _GNU_SOURCE, of an open file and without its times.
extern int statx(int dir, const char *path, int flags, unsigned int mask, struct statx *status);
static inline int clinux_size_and_links(int fd, uint64_t *size, uint32_t *links) {
    enum { EMPTY_PATH = 0x1000 };
    struct statx status;
    if (statx(fd, "", EMPTY_PATH, STATX_SIZE | STATX_NLINK, &status) != 0) {
        // Old profiles of container engines forbid what they do not know.
        struct stat whole;
        if ((errno != EPERM && errno != ENOSYS) || fstat(fd, &whole) != 0) return -1;
        *size = (uint64_t)whole.st_size;
        *links = (uint32_t)whole.st_nlink;
        return 0;
    }
    *size = status.stx_size;
    *links = status.stx_nlink;
    return 0;
}

// ioctl(2) is variadic too.
static inline int clinux_octets_on_their_way(int fd, int *count) { return ioctl(fd, TIOCOUTQ, count); }
static inline int clinux_window_size(int fd, struct winsize *size) { return ioctl(fd, TIOCGWINSZ, size); }
// The calling thread's nice value: Linux takes the number of a thread where POSIX has that of a process.
static inline int clinux_set_thread_nice(int value) { return setpriority(PRIO_PROCESS, 0, value); }
// The calling thread's scheduling policy, where it is the ordinary one: 0 stands for that thread, and not for the process.
static inline int clinux_set_thread_batch(void) {
    const struct sched_param none = {0};
    return sched_getscheduler(0) == SCHED_OTHER ? sched_setscheduler(0, SCHED_BATCH, &none) : 0;
}

static inline int clinux_set_dumpable(int dumpable) { return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0); }

// prctl(2) is variadic as well. The name of a thread has at most 15 octets; more are cut off.
static inline int clinux_set_thread_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

// What <link.h> calls struct dl_phdr_info, and shows only under _GNU_SOURCE, up to the members that are read here.
struct clinux_loaded_object {
    ElfW(Addr) base;
    const char *name;
    const ElfW(Phdr) *headers;
    ElfW(Half) count;
};
extern int dl_iterate_phdr(int (*visit)(struct clinux_loaded_object *object, size_t size, void *state), void *state);

// Only whole pages of segments that are never writable: what the loader relocated lies in writable ones, and stays.
static inline int clinux_release_object_pages(struct clinux_loaded_object *object, size_t size, void *state) {
    const ElfW(Addr) page = (ElfW(Addr))sysconf(_SC_PAGESIZE);
    (void)size;
    (void)state;
    for (ElfW(Half) index = 0; index < object->count; index++) {
        const ElfW(Phdr) *header = &object->headers[index];
        if (header->p_type != PT_LOAD || (header->p_flags & PF_W) != 0) continue;
        const ElfW(Addr) first = (object->base + header->p_vaddr + page - 1) / page * page;
        const ElfW(Addr) end = (object->base + header->p_vaddr + header->p_memsz) / page * page;
        if (first < end) madvise((void *)first, end - first, MADV_DONTNEED);
    }
    return 0;
}
static inline void clinux_release_program_pages(void) { dl_iterate_phdr(clinux_release_object_pages, NULL); }

// struct ucred, which <sys/socket.h> shows only under _GNU_SOURCE.
struct clinux_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

// Has the next change of user leave the capabilities that are permitted.
static inline int clinux_keep_capabilities(void) { return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0); }
enum { CLINUX_CAP_NET_ADMIN = CAP_NET_ADMIN };

// Swift's Glibc module does not carry <malloc.h>.
static inline int clinux_trim_memory(void) { return malloc_trim(0); }

#endif
