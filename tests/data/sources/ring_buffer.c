/*
 * A byte ring between one reader and one writer.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <pthread.h>
#endif

#define RING_MIN 64
#define RING_SWAP(a, b)        \
    do {                       \
        uint8_t *swap_ = (a);  \
        (a) = (b);             \
        (b) = swap_;           \
    } while (0)

typedef enum { RING_OK = 0, RING_FULL, RING_CLOSED } ring_status;

struct ring
{
    uint8_t *data;
    size_t size, head, tail;
    unsigned closed : 1;
#ifndef _WIN32
    pthread_mutex_t lock;
#endif
};

static const char *const names[] = {
    [RING_OK] = "ok",
    [RING_FULL] = "full {",
    [RING_CLOSED] = "closed }",
};

static size_t
ring_used(const struct ring *r)
{
    return (r->head - r->tail) & (r->size - 1);
}

ring_status ring_write(struct ring *r, const void *from, size_t count)
{
    const uint8_t *bytes = from;
    size_t i;

    if (r->closed) {
        return RING_CLOSED;
    } else if (ring_used(r) + count >= r->size) {
        return RING_FULL;
    }
    for (i = 0; i < count; i++)
    {
        r->data[r->head] = bytes[i];
        r->head = (r->head + 1) & (r->size - 1);
    }
    return RING_OK;
}

/* How many bytes an escape sequence stands for. */
int escape_length(int c)
{
    int length = 0;

    switch (c)
    {
    case 'x':
        length += 2;
        /* fall through */
    case 'n': case 't':
        length++;
        break;
    case 'u':
    {
        static int warned;
        if (!warned++)
            length = 4;
        break;
    }
    default:
        return -1;
    }
    do {
        length &= 7;
    } while (length > 7);
    return length;
}

struct ring *ring_new(size_t size)
{
    struct ring *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;

    /* Round up to a power of two. */
    for (r->size = RING_MIN; r->size < size; r->size <<= 1)
        ;
    r->data = malloc(r->size);
    if (r->data == NULL)
        goto fail;
#ifdef _WIN32
    if (!win_init(r)) {
#else
    if (pthread_mutex_init(&r->lock, NULL)) {
#endif
        free(r->data);
        goto fail;
    }
    return r;

fail:
    free(r);
    errno = ENOMEM;
    return NULL;
}
