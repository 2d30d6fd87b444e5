/* To be preloaded into a broker: shows it a wall clock that is so many seconds beside the true one, as the file
 * $WALL_CLOCK says (eight bytes, which a test writes at any time). All other clocks are as they are. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t seconds_beside(void)
{
    static volatile const int64_t *shown;
    if (shown == NULL) {
        const char *path = getenv("WALL_CLOCK");
        const int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        void *map = file >= 0 ? mmap(NULL, sizeof *shown, PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;
        if (file >= 0) {
            close(file);
        }
        if (map == MAP_FAILED) {
            return 0;
        }
        shown = map;
    }
    return *shown;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const int rc = (int)syscall(SYS_clock_gettime, clock, now);
    if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        now->tv_sec += seconds_beside();
    }
    return rc;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *seconds)
{
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (seconds != NULL) {
        *seconds = precise.tv_sec;
    }
    return precise.tv_sec;
}
