/* text.h - Unicode text: UTF-8 and what kind of character something is; with
 * normal.c the only home of libunistring. */

#ifndef POSTERN_BASE_TEXT_H
#define POSTERN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Valid UTF-8 (RFC 3629: no surrogates, no overlong forms)?  NUL is allowed. */
bool text_is_utf8(const char *text, size_t size);

/* Every byte below 0x80? */
bool text_is_ascii(const char *text, size_t size);

/*
 * The character at the start of `size` bytes, into *code.  Returns how many
 * bytes it takes, or 0 when there is none: not UTF-8, cut short, or size is 0.
 */
size_t text_next(const char *text, size_t size, uint32_t *code);

/*
 * Copy, with U+FFFD in place of every byte that is not part of UTF-8.  `out` has
 * room for 3 * size bytes; returns those written.
 */
size_t text_mend(const char *text, size_t size, char *out);

/* Is there something to see: a letter, mark, number, sign or symbol; no space,
 * control, format or ignorable character, nothing private or unassigned? */
bool text_is_graphic(uint32_t code);

/* A letter, a decimal digit or a combining mark; a mark. */
bool text_is_word(uint32_t code);
bool text_is_mark(uint32_t code);

/* Columns that a graphic character takes on a terminal: 0 for a mark on the one
 * before, 2 for a wide one (Chinese, Japanese, Korean), else 1. */
int text_columns(uint32_t code);

#endif
