/* metrics_text.h - what was counted, as Prometheus reads it. */

#ifndef POSTERN_WEB_METRICS_TEXT_H
#define POSTERN_WEB_METRICS_TEXT_H

#include <stddef.h>
#include <stdio.h>

#include "base/metrics.h"

struct board;
struct gate;

/* The media type of text format 0.0.4. */
#define METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * Write all families: base/metrics.h's, the workers of the board and the gate's
 * numbers, unless they are NULL.  What never happened stands there as 0, so that
 * its first time is seen to be one; but for addresses, which are many.
 */
void metrics_text_write(const struct board *board, const struct gate *gate,
    FILE *out);

/* The word for a cell of a counter that has one label alone; NULL: there is no
 * such cell. */
const char *metrics_text_word(enum metrics_counter counter, size_t cell);

#endif
