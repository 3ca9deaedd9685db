/* metrics_text.h - what was counted, as Prometheus reads it. */

#ifndef POSTERN_WEB_METRICS_TEXT_H
#define POSTERN_WEB_METRICS_TEXT_H

#include <stdio.h>

struct board;

/* The media type of text format 0.0.4. */
#define METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * Write all families: base/metrics.h's, and the workers of the board unless it
 * is NULL.  Of a family with labels, what never happened is left out.
 */
void metrics_text_write(const struct board *board, FILE *out);

#endif
