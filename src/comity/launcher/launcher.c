/* The launcher of hooks in C: what asking.py does, in a tenth of an interpreter's start. Linux only.
 *
 * Compiled by hosts/compiled_launcher.py, which puts definitions before it: PYTHON, ASKING (asking.py) and FOLDER (its folder) are
 * paths, LAUNCH is what the Python launcher runs. Whatever is not as it should be, that one does the work, with what was read of
 * standard input in a file of memory: `--read =N` when that was all of it, `--read +N` when there may be more.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PROTOCOL = 1, MOST_BYTES = 8000000, MOST_TRIED = 3, MOST_ANCESTORS = 3, MOST_FOLDERS = 64, NAME = 256 };
enum { HELLO_MS = 100, ANSWER_MS = 800, STRICT_ANSWER_MS = 1600, DONE_MS = 300, GIVE_UP_S = 8, SHORT_S = 2 };

extern char **environ;
static char **words;               /* the program's arguments, without its name */
static int count;
static char *data;                 /* the payload, as far as it was read */
static size_t size, room;
static int ended;

static void by_python(void) {
    char number[16] = "";
    int file = -1;
    alarm(0);
    if ((size || ended) && (file = memfd_create("payload", 0)) >= 0) {
        for (size_t at = 0; at < size;) {
            ssize_t some = write(file, data + at, size - at);
            if (some < 0) _exit(0);
            at += (size_t)some;
        }
        lseek(file, 0, SEEK_SET);
        snprintf(number, sizeof number, "%s%d", ended ? "=" : "+", file);
    }
    char **line = calloc((size_t)count + 10, sizeof *line);
    int n = 0;
    line[n++] = PYTHON, line[n++] = "-I", line[n++] = "-S", line[n++] = "-c", line[n++] = LAUNCH, line[n++] = FOLDER;
    if (*number) line[n++] = "--read", line[n++] = number;
    for (int i = 0; i < count; i++) line[n++] = words[i];
    execv(PYTHON, line);
    _exit(127); /* it is gone: as a shell says it */
}

static void over(int signal) { (void)signal; }

/* More of the payload, up to where it may end, or to its end. */
static void hear(void) {
    int brief = count && !strcmp(words[count - 1], "SessionEnd");
    struct sigaction action = {.sa_handler = over};
    sigaction(SIGALRM, &action, NULL);
    alarm(brief ? SHORT_S : GIVE_UP_S);
    for (;;) {
        if (room - size < 65536 && !(data = realloc(data, room = room * 2 + 131072))) _exit(0);
        ssize_t some = read(0, data + size, room - size);
        if (some < 0) { ended = 1; by_python(); }
        size += (size_t)some;
        if (!some) ended = 1;
        size_t last = size;
        while (last && strchr(" \t\r\n", data[last - 1])) last--;
        if (ended || size > MOST_BYTES || (last && data[last - 1] == '}')) break;
    }
    alarm(0);
    if (size > MOST_BYTES) by_python();
}

static void patience(int connection, int ms) {
    struct timeval limit = {ms / 1000, ms % 1000 * 1000};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static int take(int connection, void *to, size_t wanted) {
    for (size_t at = 0; at < wanted;) {
        ssize_t some = recv(connection, (char *)to + at, wanted - at, 0);
        if (some <= 0) return 0;
        at += (size_t)some;
    }
    return 1;
}

static int give(int connection, const void *from, size_t wanted) {
    for (size_t at = 0; at < wanted;) {
        ssize_t some = send(connection, (const char *)from + at, wanted - at, MSG_NOSIGNAL);
        if (some <= 0) return 0;
        at += (size_t)some;
    }
    return 1;
}

static int give_frame(int connection, char kind, const void *body, size_t length) {
    unsigned char head[5] = {(unsigned char)kind, (unsigned char)(length >> 24), (unsigned char)(length >> 16),
                             (unsigned char)(length >> 8), (unsigned char)length};
    return give(connection, head, 5) && give(connection, body, length);
}

static size_t number(const unsigned char *at) {
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

static int parent_of(int pid) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t some = read(file, text, sizeof text - 1);
    close(file);
    if (some <= 0) return 0;
    text[some] = 0;
    char *name = strrchr(text, ')');
    int parent = 0;
    return name && sscanf(name + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/* Which project is around the host's folder, or the working one, as asking.project_key has it. */
static void project_key(char *key) {
    const char *start = getenv("CLAUDE_PROJECT_DIR");
    char here[4096], path[4200], text[4097];
    struct stat info;
    *key = 0;
    snprintf(here, sizeof here - 4 * MOST_FOLDERS, "%s", start && *start ? start : ".");
    for (int i = 0; i < MOST_FOLDERS; i++, strcat(here, "/..")) {
        snprintf(path, sizeof path, "%s/.macp", here);
        if (!stat(path, &info)) {
            if (!stat(here, &info)) snprintf(key, NAME, ".%lx-%lx.", (long)info.st_dev, (long)info.st_ino);
            return;
        }
        snprintf(path, sizeof path, "%s/.git", here);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0) continue;
        ssize_t some = read(file, text, sizeof text - 1);
        close(file);
        if (some <= 0) return;
        text[some] = 0;
        char *top = strstr(text, "gitdir:"), *end = top ? strstr(top, "/.git/worktrees/") : NULL;
        if (!end) return;
        *end = 0;
        top += 7;
        while (*top == ' ') top++;
        if (!stat(top, &info)) snprintf(key, NAME, ".%lx-%lx.", (long)info.st_dev, (long)info.st_ino);
        return;
    }
}

/* A connection to a server of this user and installation that takes it at once; -1 for none. */
static int connected(const char *folder, const char *name, const char *greeting) {
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    struct ucred peer;
    socklen_t length = sizeof peer;
    char heard[128];
    size_t wanted = strlen(greeting);
    if (snprintf(place.sun_path, sizeof place.sun_path, "%s/%s", folder, name) >= (int)sizeof place.sun_path) return -1;
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0) return -1;
    patience(connection, HELLO_MS);
    if (!connect(connection, (struct sockaddr *)&place, sizeof place) &&
        !getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) && peer.uid == geteuid() &&
        take(connection, heard, wanted) && !memcmp(heard, greeting, wanted))
        return connection;
    close(connection);
    return -1;
}

/* The sockets of this installation's servers: the session's own, else those of the project. */
static int find(const char *folder, const char *start, char names[][NAME]) {
    char part[MOST_ANCESTORS + 1][NAME];
    int pid = getpid(), ranks = 0, found = 0;
    while (ranks < MOST_ANCESTORS && (pid = parent_of(pid)) > 1) snprintf(part[ranks++], NAME, "%s.%d.", start, pid);
    DIR *list = opendir(folder);
    if (!list) return 0;
    int best = ranks + 1, keyed = 0;
    for (struct dirent *one; (one = readdir(list));) {
        size_t length = strlen(start);
        if (strncmp(one->d_name, start, length) || one->d_name[length] != '.') continue;
        int rank = 0;
        while (rank < ranks && strncmp(one->d_name, part[rank], strlen(part[rank]))) rank++;
        if (rank == ranks) {
            if (!keyed) project_key(part[MOST_ANCESTORS]), keyed = 1;
            if (!*part[MOST_ANCESTORS] || !strstr(one->d_name, part[MOST_ANCESTORS])) continue;
        }
        if (rank < best) best = rank, found = 0;
        if (rank == best && found < MOST_TRIED) snprintf(names[found++], NAME, "%s", one->d_name);
    }
    closedir(list);
    return found;
}

static int put(int descriptor, const unsigned char *from, size_t wanted) {
    for (size_t at = 0; at < wanted;) {
        ssize_t some = write(descriptor, from + at, wanted - at);
        if (some < 0) return 0;
        at += (size_t)some;
    }
    return 1;
}

static void answer(int connection, unsigned char *body, size_t length) {
    size_t out = length >= 5 ? number(body + 1) : 0;
    if (length < 5 || out > length - 5) by_python();
    signal(SIGPIPE, SIG_IGN);
    int written = put(1, body + 5, out) && put(2, body + 5 + out, length - 5 - out);
    patience(connection, DONE_MS);
    char done;
    if (give_frame(connection, written ? 'W' : 'X', "", 0)) (void)!recv(connection, &done, 1, 0);
    _exit(body[0]);
}

static void ask(int connection) {
    char folder[4096], *told;
    size_t length = 0, most = sizeof folder + 32;
    if (!getcwd(folder, sizeof folder)) by_python();
    for (int i = 0; i < count; i++) most += strlen(words[i]) + 1;
    for (char **one = environ; *one; one++) most += strlen(*one) + 1;
    if (!(told = malloc(most))) by_python();
    length += (size_t)sprintf(told, "%s", folder) + 1;
    length += (size_t)sprintf(told + length, "%d", count - 1) + 1;
    for (int i = 1; i < count; i++) length += (size_t)sprintf(told + length, "%s", words[i]) + 1;
    for (char **one = environ; *one; one++) length += (size_t)sprintf(told + length, "%s", *one) + 1;
    patience(connection, ANSWER_MS);
    if (!give_frame(connection, 'S', told, length - 1) || !give_frame(connection, ended ? 'E' : 'Q', data, size))
        by_python();
    for (;;) {
        unsigned char head[5], *body;
        if (!take(connection, head, 5) || !(body = malloc((length = number(head + 1)) + 1)) ||
            !take(connection, body, length))
            by_python();
        if (head[0] == 'A') answer(connection, body, length);
        else if (head[0] == 's') patience(connection, STRICT_ANSWER_MS);
        else if (head[0] == 'm' && !ended) {
            size_t known = size;
            hear();
            patience(connection, ANSWER_MS);
            if (!give_frame(connection, ended ? 'E' : 'Q', data + known, size - known)) by_python();
        } else by_python();
        free(body);
    }
}

int main(int argc, char **argv) {
    struct stat info, descriptor;
    char folder[64], start[64], greeting[80], names[MOST_TRIED][NAME];
    words = argv + 1, count = argc - 1;
    if (count < 2 || strcmp(words[0], "hook") || !strcmp(words[1], "git") || stat(ASKING, &info)) by_python();
    for (int i = 0; i < 3; i++)
        if (fstat(i, &descriptor)) by_python();
    if (isatty(0)) by_python();
    uint64_t time_ns = (uint64_t)info.st_mtim.tv_sec * 1000000000u + (uint64_t)info.st_mtim.tv_nsec;
    uint64_t mark = ((uint64_t)info.st_ino ^ time_ns) & 0xFFFFFFFFFFFFu;
    snprintf(start, sizeof start, "%d-%llx", PROTOCOL, (unsigned long long)mark);
    snprintf(greeting, sizeof greeting, "comity %s\n", start);
    snprintf(folder, sizeof folder, "/run/user/%u", getuid());
    if (!stat(folder, &info) && info.st_uid == getuid()) strcat(folder, "/comity");
    else snprintf(folder, sizeof folder, "/tmp/comity-%u", getuid());
    int found = find(folder, start, names);
    if (!found) by_python();
    hear();
    for (int i = 0; i < found; i++) {
        int connection = connected(folder, names[i], greeting);
        if (connection >= 0) ask(connection);
    }
    by_python();
}
